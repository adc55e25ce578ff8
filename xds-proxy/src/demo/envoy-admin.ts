/** What wpgate asks of Envoy's admin interface. */
import { UpstreamError } from "../errors.ts";
import { send } from "./http-request.ts";
import { until } from "./until.ts";

export interface Wait {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export class EnvoyAdmin {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  /** Counters and gauges whose name matches; a regular expression of Envoy's own dialect. */
  async stats(filter: string): Promise<ReadonlyMap<string, number>> {
    const text = await this.#get(`/stats?filter=${encodeURIComponent(filter)}`);
    const rows = text.matchAll(/^(.+): (\d+)$/gm);
    return new Map(Array.from(rows, ([, name = "", value = ""]) => [name, Number(value)]));
  }

  /** The value of one counter or gauge; 0 while Envoy does not have it. */
  async stat(name: string): Promise<number> {
    const stats = await this.stats(`^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    return stats.get(name) ?? 0;
  }

  /** All that is configured, or the entries of one resource field, such as `ecds_filters`. */
  async configDump(resource?: string): Promise<unknown> {
    const path = resource === undefined ? "?include_eds" : `?resource=${resource}`;
    return JSON.parse(await this.#get(`/config_dump${path}`));
  }

  /** The port that the kernel chose for a listener; waits until Envoy listens there. */
  async listenerPort(name: string, wait: Wait = {}): Promise<number> {
    return await until({
      what: `listener ${name}`,
      probe: async () => portOf(await this.#get("/listeners"), name),
      ...wait,
    });
  }

  /** Waits until Envoy is live: its listeners and clusters have what they need. */
  async ready(wait: Wait = {}): Promise<void> {
    await until({
      what: "Envoy being ready",
      probe: async () => ((await send({ port: this.port, path: "/ready" })).status === 200 ? true : undefined),
      ...wait,
    });
  }

  async #get(path: string): Promise<string> {
    const { status, body } = await send({ port: this.port, path });
    if (status !== 200) throw new UpstreamError("PROTOCOL", `Envoy's admin interface answers ${path} with ${status}`);
    return body;
  }
}

/** A line of `/listeners` reads `name::127.0.0.1:45213`. */
function portOf(listeners: string, name: string): number | undefined {
  for (const line of listeners.split("\n")) {
    const port = line.startsWith(`${name}::`) ? /:(\d+)$/.exec(line)?.[1] : undefined;
    if (port !== undefined && port !== "0") return Number(port);
  }
  return undefined;
}
