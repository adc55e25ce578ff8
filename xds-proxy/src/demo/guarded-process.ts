/** A long-running child process that never outlives its owner: `stop()` ends it, and so does the end of this process. */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { LineLog } from "./line-log.ts";
import { guardOrphan } from "./orphan-guard.ts";

const STOP_GRACE_MS = 3_000;

export interface ProcessOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Where it runs. Belongs to the process: it is removed with it. */
  readonly folder: string;
  /** All that it sees of an environment. */
  readonly environment?: NodeJS.ProcessEnv;
}

export class GuardedProcess {
  readonly log: LineLog;
  /** Resolves with how it ended, whoever ended it. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #folder: string;

  constructor({ file, args, folder, environment }: ProcessOptions) {
    const child = spawn(file, args, { cwd: folder, env: { ...environment }, stdio: ["ignore", "pipe", "pipe"] });
    const release = child.pid === undefined ? (): void => undefined : guardOrphan({ pid: child.pid, folder });
    this.#child = child;
    this.#folder = folder;
    this.log = new LineLog(child.stderr, child.stdout);
    this.ended = new Promise<string>((resolve) => {
      child.on("error", (error) => {
        resolve(error.message);
      });
      child.on("close", (code, signal) => {
        resolve(`it ended with ${signal ?? `code ${code ?? -1}`}`);
      });
    }).finally(release);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Ends the process, at first politely, and removes its folder; may be called again. */
  async stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    this.#child.kill("SIGTERM");
    const grace = new AbortController();
    await Promise.race([this.ended, sleep(graceMs, undefined, { signal: grace.signal }).catch(() => undefined)]);
    grace.abort();
    this.#child.kill("SIGKILL");
    await this.ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
