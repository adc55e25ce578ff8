// `npm start`: brings the clone up to date, then runs the demo with the arguments given; with `--istio` that of the lab.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, ROOT } from "./prepare.mjs";

await prepare({ forTests: false });
const args = process.argv.slice(2);
const demo = args.includes("--istio")
  ? spawn(process.execPath, ["--import", "tsx", join(ROOT, "test/lab/demo.ts"), ...args], {
      cwd: ROOT,
      stdio: "inherit",
    })
  : spawn(process.execPath, [join(ROOT, "dist/cli/main.js"), "demo", ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => demo.kill(signal));
demo.on("close", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 130);
});
