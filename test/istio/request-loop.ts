/** Requests, one after the other, and with which status each of them was answered. */
import type { Workload } from "../lab/workload.ts";

export class RequestLoop {
  readonly #statuses = new Map<string, Map<number, number>>();
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(workload: Workload, ...paths: readonly string[]) {
    this.#done = this.#run(workload, paths);
  }

  /** @returns the statuses that there were, by path */
  async stop(): Promise<Readonly<Record<string, readonly number[]>>> {
    this.#isOver = true;
    await this.#done;
    return Object.fromEntries([...this.#statuses].map(([path, counts]) => [path, [...counts.keys()].toSorted()]));
  }

  async #run(workload: Workload, paths: readonly string[]): Promise<void> {
    while (!this.#isOver) {
      for (const path of paths) {
        const status = await workload.get(path);
        const counts = this.#statuses.get(path) ?? new Map<number, number>();
        counts.set(status, (counts.get(status) ?? 0) + 1);
        this.#statuses.set(path, counts);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Others want to run, too. */
const PAUSE_MS = 5;
