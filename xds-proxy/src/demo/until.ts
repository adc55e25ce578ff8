/** Waiting for something that cannot announce itself: asks again until there is an answer, within a deadline. */
import { setTimeout as sleep } from "node:timers/promises";
import { UpstreamError } from "../errors.ts";

export interface UntilOptions<T> {
  /** What is waited for; becomes the error's sentence. */
  readonly what: string;
  /** Undefined means: not yet. What it throws ends the wait. */
  readonly probe: () => Promise<T | undefined> | T | undefined;
  readonly timeoutMs?: number | undefined;
  readonly intervalMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Added to the error's sentence, such as the end of a log. */
  readonly context?: (() => string) | undefined;
}

/** @throws UpstreamError `TIMEOUT` */
export async function until<T>(options: UntilOptions<T>): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await options.probe();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs) {
      const context = options.context?.() ?? "";
      throw new UpstreamError("TIMEOUT", `${options.what}: not within ${timeoutMs} ms${context && `; ${context}`}`);
    }
    await sleep(options.intervalMs ?? 10, undefined, { signal: options.signal });
  }
}
