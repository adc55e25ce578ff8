/** The lines a child process printed: the newest ones kept, and waited for. */
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import { until } from "./until.ts";

const KEPT_LINES = 20_000;

export class LineLog {
  readonly #lines: string[] = [];
  #dropped = 0;

  constructor(...streams: readonly Readable[]) {
    for (const input of streams)
      createInterface({ input }).on("line", (line) => {
        this.#add(line);
      });
  }

  /** How many lines came so far: a mark to look from later. */
  get count(): number {
    return this.#dropped + this.#lines.length;
  }

  /** The kept lines from a mark on. */
  since(mark: number): readonly string[] {
    return this.#lines.slice(Math.max(0, mark - this.#dropped));
  }

  tail(count: number): string {
    return this.#lines.slice(-count).join("\n");
  }

  /** The first line from a mark on that matches. Rejects with UpstreamError `TIMEOUT`. */
  async waitFor(
    pattern: RegExp,
    options: { from?: number; timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<string> {
    return await until({
      what: `log line ${String(pattern)}`,
      probe: () => this.since(options.from ?? 0).find((line) => pattern.test(line)),
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      context: () => `the log ends with:\n${this.tail(5)}`,
    });
  }

  #add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length <= KEPT_LINES) return;
    this.#dropped += this.#lines.splice(0, KEPT_LINES / 2).length;
  }
}
