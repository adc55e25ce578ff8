/** A workload under load: what it is asked, by whom it may have been answered, and what each of its workers says. */
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { WorkerConnections } from "../../lab/worker-connections.ts";
import type { Workload } from "../../lab/workload.ts";
import { pathsOf } from "./alternating-sets.ts";
import { Timeline } from "./timeline.ts";
import { Traffic, type Exchange } from "./traffic.ts";

const TIMEOUT_MS = 120_000;

export class Target {
  readonly workload: Workload;
  readonly timeline: Timeline = new Timeline();
  readonly #ratePerSec: number;
  #traffic: Traffic | undefined;
  #connections: WorkerConnections | undefined;
  #version = 0;

  constructor(workload: Workload, { ratePerSec }: { readonly ratePerSec: number }) {
    this.workload = workload;
    this.#ratePerSec = ratePerSec;
  }

  /** Waits until every worker has the filter: new connections get it, older ones are drained without it. */
  async isGuarded(): Promise<void> {
    await until({
      what: "the filter in every worker",
      timeoutMs: TIMEOUT_MS,
      probe: async () => {
        const connections = await WorkerConnections.open(this.workload);
        const statuses = await connections.get("/denied-by-all");
        connections.close();
        return statuses.every((status) => status === 403) ? true : undefined;
      },
    });
  }

  /** While nothing is sent to the workload. */
  async startLoad(): Promise<void> {
    const { workload } = this;
    this.#connections = await WorkerConnections.open(workload);
    this.#traffic = new Traffic({ workload, ratePerSec: this.#ratePerSec, paths: () => pathsOf(this.#version) });
  }

  async stopLoad(): Promise<readonly Exchange[]> {
    this.#connections?.close();
    const exchanges = await this.#traffic?.stop();
    this.#traffic = undefined;
    return exchanges ?? [];
  }

  /** From now on this set may reach the workload. */
  release(version: number): void {
    this.timeline.release(version);
    this.#version = version;
  }

  /** Waits until every worker answers by this set. */
  async enforces(version: number): Promise<void> {
    let seen: readonly number[] = [];
    await until({
      what: `set ${version} enforced by every worker`,
      timeoutMs: TIMEOUT_MS,
      intervalMs: 20,
      context: () => `/version/${version} gets ${seen.join()}; the log ends with:\n${this.workload.envoy.log.tail(5)}`,
      probe: async () => {
        seen = (await this.#connections?.get(`/version/${version}`)) ?? [];
        return seen.length > 0 && seen.every((status) => status === 200) ? true : undefined;
      },
    });
    this.timeline.enforce(version);
  }

  /** Waits until this many more requests have come to an end. */
  async answersMore(count: number): Promise<void> {
    const from = this.#traffic?.count ?? 0;
    await until({
      what: `${count} more requests`,
      timeoutMs: TIMEOUT_MS,
      probe: () => ((this.#traffic?.count ?? 0) >= from + count ? true : undefined),
    });
  }
}
