/** Runs a short-lived program and collects what it prints. */
import { spawn } from "node:child_process";

export interface ChildOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Nothing when absent. */
  readonly stdin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves with the output whatever the exit code; undefined when there is no such program.
 * Rejects when the program cannot be started for another reason, or with the reason of `signal`.
 */
export async function run(options: RunOptions): Promise<ChildOutput | undefined> {
  options.signal?.throwIfAborted();
  const child = spawn(options.file, options.args, {
    env: options.environment,
    stdio: ["pipe", "pipe", "pipe"],
    signal: options.signal,
    killSignal: "SIGKILL",
  });
  // A program that does not read to the end is judged by its exit code.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (chunk: string) => (text[stream] += chunk));
  }
  return await new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (options.signal?.aborted === true) reject(abortReason(options.signal));
      else if (error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    child.on("close", (code) => {
      resolve({ exitCode: code ?? 1, ...text });
    });
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted", { cause: signal.reason });
}
