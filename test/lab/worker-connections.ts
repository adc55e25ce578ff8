/** One connection to each worker of a workload's Envoy, kept open: what one worker enforces, another may not yet. */
import { Agent } from "node:http";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import type { Workload } from "./workload.ts";

/** The kernel spreads connections over the workers: this many that miss one of two are as likely as 2^-200. */
const MAX_ATTEMPTS = 200;

export class WorkerConnections {
  readonly #workload: Workload;
  readonly #agents: readonly Agent[];

  private constructor(workload: Workload, agents: readonly Agent[]) {
    this.#workload = workload;
    this.#agents = agents;
  }

  /** While nobody else connects: which worker has got a connection shows in what they count. */
  static async open(workload: Workload): Promise<WorkerConnections> {
    const agents = new Map<string, Agent>();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const before = await connectionCounts(workload);
      await workload.send({ path: "/", agent });
      const after = await connectionCounts(workload);
      const grown = [...after.keys()].filter((name) => after.get(name) !== before.get(name));
      const [worker] = grown;
      if (worker === undefined || grown.length > 1) throw new UpstreamError("PROTOCOL", "somebody else connects, too");
      if (agents.has(worker)) agent.destroy();
      else agents.set(worker, agent);
      if (agents.size === workload.concurrency) return new WorkerConnections(workload, [...agents.values()]);
    }
    throw new UpstreamError("TIMEOUT", `a connection to each of ${workload.concurrency} workers: only ${agents.size}`);
  }

  /** The status of a GET, by each worker. */
  async get(path: string): Promise<readonly number[]> {
    const answers = this.#agents.map(async (agent) => (await this.#workload.send({ path, agent })).status);
    return await Promise.all(answers);
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }
}

async function connectionCounts({ envoy, address, port }: Workload): Promise<ReadonlyMap<string, number>> {
  const listener = `${address}_${port}`.replaceAll(".", "\\.");
  return await envoy.admin.stats(`^listener\\.${listener}\\.worker_\\d+\\.downstream_cx_total$`);
}
