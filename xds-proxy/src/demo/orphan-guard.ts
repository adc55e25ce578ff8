/**
 * Ends a child process when this one is gone, however it went, a SIGKILL included. A shell in its own session (Ctrl-C
 * does not reach it) waits on a pipe: the end of the pipe is the end of its owner, a line on it is the all-clear.
 */
import { spawn } from "node:child_process";

const SCRIPT = 'read -r line || { kill -KILL "$1"; rm -rf "$2"; } 2>/dev/null';

/** Kills `pid` and removes `folder` should this process end before the returned function is called. */
export function guardOrphan(options: { readonly pid: number; readonly folder: string }): () => void {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", String(options.pid), options.folder], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => undefined);
  shell.stdin.on("error", () => undefined);
  shell.unref();
  return () => {
    shell.stdin.end("\n");
  };
}
