// Runs a TypeScript program of the test tree on an up-to-date clone: node tools/run.mjs FILE [ARG…]
// The program has a channel to this process, whose end it notices even when this one is killed.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, ROOT } from "./prepare.mjs";

await prepare();
const [file, ...args] = process.argv.slice(2);
const loader = pathToFileURL(join(ROOT, "node_modules/tsx/dist/loader.mjs")).href;
const child = spawn(process.execPath, ["--import", loader, join(ROOT, file), ...args], {
  stdio: ["inherit", "inherit", "inherit", "ipc"],
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
