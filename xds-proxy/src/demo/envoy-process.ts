/**
 * One real Envoy as a child process: own temporary folder, loopback only, every port chosen by the kernel. It never
 * outlives its owner: `stop()` ends it, and so does the end of this process.
 */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { UpstreamError } from "../errors.ts";
import { EnvoyAdmin } from "./envoy-admin.ts";
import { LineLog } from "./line-log.ts";
import { guardOrphan } from "./orphan-guard.ts";
import { until } from "./until.ts";

/** USER_HZ, the same on every Linux that Node runs on. */
const CLOCK_TICKS_PER_SEC = 100;
const START_TIMEOUT_MS = 20_000;
const STOP_GRACE_MS = 3_000;

export interface StartEnvoyOptions {
  /** What `findEnvoy` returns. */
  readonly binary: string;
  /** The bootstrap as a JSON value; its admin port should be 0. */
  readonly bootstrap: unknown;
  /** Worker threads; 1 when absent. */
  readonly concurrency?: number;
  /** `warning` when absent. */
  readonly logLevel?: string;
  /** Such as `wasm:debug,config:info`. */
  readonly componentLogLevel?: string;
  /** How long listeners that were taken away go on; Envoy's own 600 when absent. */
  readonly drainTimeSec?: number;
  /** All that Envoy sees of an environment, and so all that a Wasm VM's `host_env_keys` can reach. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts Envoy and waits for its admin interface. Listeners may come later: `admin.listenerPort`.
 * @throws UpstreamError `UNAVAILABLE` with the end of Envoy's log when it does not get that far
 */
export async function startEnvoy(options: StartEnvoyOptions): Promise<EnvoyProcess> {
  options.signal?.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), "wpgate-envoy-"));
  await writeFile(join(folder, "bootstrap.json"), JSON.stringify(options.bootstrap), { mode: 0o600 });
  const child = spawn(options.binary, envoyArguments(folder, options), {
    cwd: folder,
    env: { ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const release = child.pid === undefined ? (): void => undefined : guardOrphan({ pid: child.pid, folder });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => {
      resolve(error.message);
    });
    child.on("close", (code, signal) => {
      resolve(`it ended with ${signal ?? `code ${code ?? -1}`}`);
    });
  }).finally(release);
  const log = new LineLog(child.stderr, child.stdout);
  try {
    const port = await adminPort({ file: join(folder, "admin"), ended, signal: options.signal });
    return new EnvoyProcess({ child, folder, ended, log, admin: new EnvoyAdmin(port) });
  } catch (cause) {
    await end({ child, ended, folder });
    options.signal?.throwIfAborted();
    throw new UpstreamError("UNAVAILABLE", `Envoy does not start; its log ends with:\n${log.tail(5)}`, { cause });
  }
}

function envoyArguments(folder: string, options: StartEnvoyOptions): string[] {
  return [
    ...["--config-path", join(folder, "bootstrap.json"), "--admin-address-path", join(folder, "admin")],
    ...["--concurrency", String(options.concurrency ?? 1), "--disable-hot-restart"],
    ...["--file-flush-interval-msec", "100"],
    ...["--log-level", options.logLevel ?? "warning", "--log-format", "%Y-%m-%d %T.%e %l %n %v"],
    ...(options.drainTimeSec === undefined ? [] : ["--drain-time-s", String(options.drainTimeSec)]),
    ...(options.componentLogLevel === undefined ? [] : ["--component-log-level", options.componentLogLevel]),
  ];
}

/** Envoy writes the address of its admin listener into a file once the kernel has chosen it. */
async function adminPort(options: {
  file: string;
  ended: Promise<string>;
  signal: AbortSignal | undefined;
}): Promise<number> {
  let end: string | undefined;
  void options.ended.then((how) => (end = how));
  return await until({
    what: "the address of Envoy's admin interface",
    timeoutMs: START_TIMEOUT_MS,
    signal: options.signal,
    probe: async () => {
      if (end !== undefined) throw new UpstreamError("UNAVAILABLE", end);
      const port = /:(\d+)\s*$/.exec(await readFile(options.file, "utf8").catch(() => ""))?.[1];
      return port === undefined ? undefined : Number(port);
    },
  });
}

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly folder: string;
  readonly ended: Promise<string>;
  readonly log: LineLog;
  readonly admin: EnvoyAdmin;
}

export class EnvoyProcess {
  readonly admin: EnvoyAdmin;
  readonly log: LineLog;
  /** Resolves with how it ended, whoever ended it. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #folder: string;

  constructor(running: Running) {
    this.admin = running.admin;
    this.log = running.log;
    this.ended = running.ended;
    this.#child = running.child;
    this.#folder = running.folder;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Resident memory. Linux only. */
  async rssBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** User and system time used so far. Linux only. */
  async cpuSec(): Promise<number> {
    const stat = await readFile(`/proc/${this.pid}/stat`, "utf8");
    // The second field, in parentheses, may hold anything; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SEC;
  }

  /** Ends Envoy and removes its folder; may be called again. */
  async stop(): Promise<void> {
    await end({ child: this.#child, ended: this.ended, folder: this.#folder });
  }
}

async function end(process: Pick<Running, "child" | "ended" | "folder">): Promise<void> {
  process.child.kill("SIGTERM");
  const grace = new AbortController();
  await Promise.race([process.ended, sleep(STOP_GRACE_MS, undefined, { signal: grace.signal }).catch(() => undefined)]);
  grace.abort();
  process.child.kill("SIGKILL");
  await process.ended;
  await rm(process.folder, { recursive: true, force: true });
}
