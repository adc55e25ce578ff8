// Runs a TypeScript program of the test tree on an up-to-date clone: node tools/run.mjs FILE [ARG…]
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, ROOT } from "./prepare.mjs";

await prepare();
const [file, ...args] = process.argv.slice(2);
const child = spawn(join(ROOT, "node_modules/.bin/tsx"), [join(ROOT, file), ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
