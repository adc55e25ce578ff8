/**
 * Watches a change from outside: a request about every millisecond, each on a connection of its own, because a native
 * change takes effect on new connections only. A path that only the new state allows tells which state answered.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Workload } from "../lab/workload.ts";

const EVERY_MS = 1;
const TIMEOUT_MS = 30_000;
/** Connections spread over the workers: one of two that is missed by this many is a matter of luck, 2^-20. */
const ENOUGH_COUNT = 20;

/** Each since the change was given to the API server. */
export interface ChangeTimes {
  /** The API server has answered. */
  readonly appliedMs: number;
  /** The first answer by the new state has come. */
  readonly firstMs: number;
  /** The first answer after the last one by the old state has come. */
  readonly allMs: number;
}

export async function watchChange(options: {
  readonly workload: Workload;
  readonly path: string;
  readonly give: () => Promise<void>;
}): Promise<ChangeTimes> {
  const { workload, path, give } = options;
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  const applied = give().then(elapsedMs);
  let firstMs: number | undefined;
  let allMs = 0;
  let inARow = 0;
  while (inARow < ENOUGH_COUNT) {
    const { status } = await workload.send({ path });
    if (status !== 200 && status !== 403) throw new Error(`${path} is answered with ${status}`);
    if (status === 403) inARow = 0;
    else if (inARow++ === 0) allMs = elapsedMs();
    if (status === 200) firstMs ??= elapsedMs();
    if (elapsedMs() > TIMEOUT_MS) throw new Error(`${path} is not allowed within ${TIMEOUT_MS} ms`);
    await sleep(EVERY_MS);
  }
  return { appliedMs: await applied, firstMs: firstMs ?? Number.NaN, allMs };
}
