/**
 * Requests at a fixed rate, whether or not earlier ones are answered; each second one on a connection of its own, the
 * others on kept ones. A kept connection may be closed by the server while the client begins a request on it: like every
 * client, this one then asks again on a new connection, and only when not one byte had come.
 */
import { Agent, request } from "node:http";
import type { Workload } from "../../lab/workload.ts";

const TICK_MS = 5;
export const KEPT_CONNECTIONS = 8;
/** An answer this late is a failure of its own. */
const ANSWER_TIMEOUT_MS = 30_000;

export interface Exchange {
  readonly path: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 without an answer. */
  readonly status: number;
  /** Why there is no answer, or what is written in one that reports an error. */
  readonly failure?: string;
  /** How often the connection was closed before it came to a request. */
  readonly retries: number;
}

export interface TrafficOptions {
  readonly workload: Workload;
  readonly ratePerSec: number;
  /** What is asked next: one after the other, in turn. */
  readonly paths: () => readonly string[];
}

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #agents = Array.from({ length: KEPT_CONNECTIONS }, () => new Agent({ keepAlive: true }));
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #pending = new Set<Promise<void>>();
  readonly #exchanges: Exchange[] = [];
  #sent = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#sendDue();
    }, TICK_MS);
  }

  /** How many requests have been answered or have failed. */
  get count(): number {
    return this.#exchanges.length;
  }

  /** Waits for what is under way, and returns all in the order of their ends. */
  async stop(): Promise<readonly Exchange[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    for (const agent of this.#agents) agent.destroy();
    return this.#exchanges;
  }

  #sendDue(): void {
    const due = Math.floor(((performance.now() - this.#startMs) / 1000) * this.#options.ratePerSec);
    while (this.#sent < due) {
      const pending = this.#send(this.#sent++).finally(() => this.#pending.delete(pending));
      this.#pending.add(pending);
    }
  }

  async #send(index: number): Promise<void> {
    const { workload, paths } = this.#options;
    const list = paths();
    const path = list[index % list.length] ?? "/";
    const startMs = performance.now();
    const agent = index % 2 === 0 ? undefined : this.#agents[(index >> 1) % KEPT_CONNECTIONS];
    const outcome = await ask(workload, path, agent);
    this.#exchanges.push({ path, startMs, endMs: performance.now(), ...outcome });
  }
}

type Outcome = Pick<Exchange, "status" | "failure" | "retries">;

async function ask(workload: Workload, path: string, agent?: Agent): Promise<Outcome> {
  const first = await askOnce(workload, path, agent);
  if (!first.isUnused) return { ...first.outcome, retries: 0 };
  return { ...(await askOnce(workload, path)).outcome, retries: 1 };
}

/** `isUnused`: the connection had been closed by the server before this request. */
async function askOnce(
  { address, port }: Workload,
  path: string,
  agent?: Agent,
): Promise<{ readonly outcome: Omit<Outcome, "retries">; readonly isUnused: boolean }> {
  return await new Promise((resolve) => {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const outgoing = request({ host: address, port, path, agent: agent ?? false, signal }, (incoming) => {
      const { statusCode: status = 0 } = incoming;
      let body = "";
      incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      incoming.on("end", () => {
        // What Envoy itself says has a reason in its body; the filter's answers have none.
        resolve({ outcome: { status, ...(status >= 500 && { failure: body }) }, isUnused: false });
      });
      incoming.on("error", (error) => {
        resolve({ outcome: { status: 0, failure: `${status}, then ${error.message}` }, isUnused: false });
      });
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      const isClosed = error.code === "ECONNRESET" || error.code === "EPIPE";
      resolve({ outcome: { status: 0, failure: error.message }, isUnused: outgoing.reusedSocket && isClosed });
    });
    outgoing.end();
  });
}
