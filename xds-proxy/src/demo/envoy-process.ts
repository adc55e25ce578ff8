/**
 * One real Envoy as a child process: own temporary folder, loopback only, every port chosen by the kernel. It never
 * outlives its owner: `stop()` ends it, and so does the end of this process.
 */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UpstreamError } from "../errors.ts";
import { EnvoyAdmin } from "./envoy-admin.ts";
import { GuardedProcess } from "./guarded-process.ts";
import { hotRestartArguments, readEpoch, removeSharedMemory, type Epoch, type HotRestart } from "./hot-restart.ts";
import type { LineLog } from "./line-log.ts";
import { until } from "./until.ts";

/** USER_HZ, the same on every Linux that Node runs on. */
const CLOCK_TICKS_PER_SEC = 100;
const START_TIMEOUT_MS = 20_000;

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
  /** Makes it one of processes that follow each other; without it, it stands alone. */
  readonly hotRestart?: HotRestart;
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
  const process = new GuardedProcess({
    ...{ file: options.binary, args: envoyArguments(folder, options), folder },
    environment: { ...options.environment },
  });
  try {
    const port = await adminPort({ file: join(folder, "admin"), ended: process.ended, signal: options.signal });
    const epoch = options.hotRestart && (await readEpoch(folder, options.hotRestart));
    return new EnvoyProcess(process, new EnvoyAdmin(port), epoch);
  } catch (cause) {
    await process.stop();
    options.signal?.throwIfAborted();
    throw new UpstreamError("UNAVAILABLE", `Envoy does not start; its log ends with:\n${process.log.tail(5)}`, {
      cause,
    });
  }
}

function envoyArguments(folder: string, options: StartEnvoyOptions): string[] {
  return [
    ...["--config-path", join(folder, "bootstrap.json"), "--admin-address-path", join(folder, "admin")],
    ...["--concurrency", String(options.concurrency ?? 1)],
    ...(options.hotRestart ? hotRestartArguments(folder, options.hotRestart) : ["--disable-hot-restart"]),
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

export class EnvoyProcess {
  readonly admin: EnvoyAdmin;
  /** What the next process replaces; undefined when it stands alone. */
  readonly epoch: Epoch | undefined;
  readonly #process: GuardedProcess;

  constructor(process: GuardedProcess, admin: EnvoyAdmin, epoch?: Epoch) {
    this.#process = process;
    this.admin = admin;
    this.epoch = epoch;
  }

  get log(): LineLog {
    return this.#process.log;
  }

  /** Resolves with how it ended, whoever ended it. */
  get ended(): Promise<string> {
    return this.#process.ended;
  }

  get pid(): number {
    return this.#process.pid;
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
    await this.#process.stop();
    if (this.epoch) await removeSharedMemory(this.epoch);
  }
}
