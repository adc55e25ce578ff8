// `npm start`: brings the clone up to date, then runs the demo with the arguments given.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, ROOT } from "./prepare.mjs";

await prepare({ forTests: false });
const demo = spawn(process.execPath, [join(ROOT, "dist/cli/main.js"), "demo", ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => demo.kill(signal));
demo.on("close", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 130);
});
