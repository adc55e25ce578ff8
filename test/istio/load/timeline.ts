/** When which set was released and was enforced by every worker, and which answers that leaves possible. */
import { statusOf, type Status } from "./alternating-sets.ts";
import type { Exchange } from "./traffic.ts";

interface Moment {
  readonly version: number;
  readonly atMs: number;
}

export class Timeline {
  readonly #released: Moment[] = [];
  readonly #enforced: Moment[] = [];

  /** Before it is handed to anybody. */
  release(version: number): void {
    this.#released.push({ version, atMs: performance.now() });
  }

  /** After each worker has answered by it. */
  enforce(version: number): void {
    this.#enforced.push({ version, atMs: performance.now() });
  }

  /** In the order in which they were. */
  get enforced(): readonly number[] {
    return this.#enforced.map(({ version }) => version);
  }

  /** What sets that may have judged a request say to it: one of them alone, and the answer is certain. */
  possible({ path, startMs, endMs }: Exchange): ReadonlySet<Status> {
    const oldest = this.#enforced.findLast(({ atMs }) => atMs <= startMs)?.version ?? 0;
    const judges = this.#released.filter(({ version, atMs }) => version >= oldest && atMs <= endMs);
    return new Set(judges.map(({ version }) => statusOf(path, version)));
  }

  /** Of each answer that no set explains, a line. */
  unexplained(exchanges: readonly Exchange[]): readonly string[] {
    return exchanges
      .filter((exchange) => ![...this.possible(exchange)].some((status) => status === exchange.status))
      .map(({ path, status, failure, startMs, endMs }) => {
        const oldest = this.#enforced.findLast(({ atMs }) => atMs <= startMs)?.version;
        const newest = this.#released.findLast(({ atMs }) => atMs <= endMs)?.version;
        return `${path} by set ${oldest} to ${newest}: ${status} ${failure ?? ""}`;
      });
  }
}
