import { setTimeout as sleep } from "node:timers/promises";

/** Node's timers end at 2^31-1 ms. @returns false when it was interrupted */
export async function pause(seconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(Math.min(seconds * 1000, 2 ** 31 - 1), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
