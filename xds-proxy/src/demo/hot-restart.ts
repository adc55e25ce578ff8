/**
 * Envoy's hot restart: the next process takes over the listening sockets of the one before it, which finishes what it has
 * begun and ends. Processes that follow each other share a base id, which the first one chooses, and a file in /dev/shm.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UpstreamError } from "../errors.ts";

/** Envoy leaves room for the epochs between two base ids. */
const BASE_ID_SCALE = 10;

export interface HotRestart {
  /** When a process ends that was replaced; later than `drainTimeSec`, within which it closes its connections. */
  readonly parentShutdownTimeSec: number;
  /** Which process it replaces; absent for the first one. */
  readonly replaces?: Epoch | undefined;
}

/** One of the processes that follow each other. */
export interface Epoch {
  readonly baseId: number;
  readonly number: number;
}

/** @param folder - of the process that is started */
export function hotRestartArguments(folder: string, { parentShutdownTimeSec, replaces }: HotRestart): string[] {
  const place = replaces
    ? ["--base-id", String(replaces.baseId), "--restart-epoch", String(replaces.number + 1)]
    : ["--use-dynamic-base-id", "--base-id-path", baseIdFile(folder)];
  return [...place, "--parent-shutdown-time-s", String(parentShutdownTimeSec), "--skip-hot-restart-parent-stats"];
}

/** Which epoch the process in this folder is, once its admin interface answers. */
export async function readEpoch(folder: string, { replaces }: HotRestart): Promise<Epoch> {
  if (replaces) return { baseId: replaces.baseId, number: replaces.number + 1 };
  const text = await readFile(baseIdFile(folder), "utf8");
  if (!/^\d+\s*$/.test(text)) throw new UpstreamError("PROTOCOL", `Envoy names its base id ${JSON.stringify(text)}`);
  return { baseId: Number(text), number: 0 };
}

/** Removes what Envoy leaves behind; after the last process has ended. */
export async function removeSharedMemory({ baseId }: Epoch): Promise<void> {
  await rm(`/dev/shm/envoy_shared_memory_${baseId * BASE_ID_SCALE}`, { force: true });
}

function baseIdFile(folder: string): string {
  return join(folder, "base-id");
}
