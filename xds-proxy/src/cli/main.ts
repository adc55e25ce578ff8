#!/usr/bin/env node
/** The program `wpgate`: gives the command line the real world. The only file of the project that ends the process. */
import { stdinBytes } from "./files.ts";
import { runCli } from "./program.ts";

/** A terminal and a wrapper (npm start) both pass Ctrl-C on, so that one of them may come twice. */
const IMPATIENT_MS = 2_000;

const interrupted = new AbortController();
let interruptedMs = Infinity;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Asked again, what is in the way of an orderly end does not matter any more.
    if (performance.now() - interruptedMs > IMPATIENT_MS) process.exit(130);
    if (!interrupted.signal.aborted) interruptedMs = performance.now();
    interrupted.abort(new Error(`stopped by ${signal}`));
  });
}
// A reader that has seen enough (`wpgate inspect … | head`) is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 3));

const colour = (stream: NodeJS.WriteStream): boolean => stream.isTTY && (process.env["NO_COLOR"] ?? "") === "";

process.exitCode = await runCli(process.argv.slice(2), {
  cwd: process.cwd(),
  environment: process.env,
  readStdin: () => {
    if (process.stdin.isTTY) process.stderr.write("wpgate: reading what you type; Ctrl-D ends it\n");
    return stdinBytes(process.stdin, interrupted.signal);
  },
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  colour: { stdout: colour(process.stdout), stderr: colour(process.stderr) },
  nowMs: Date.now,
  signal: interrupted.signal,
});
