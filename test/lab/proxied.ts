/** A workload of the lab whose Envoy gets everything through `wpgate proxy`, and whose namespace has an owner. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lab, LabWorkload } from "./lab.ts";
import type { Workload } from "./workload.ts";
import { ProxyProcess } from "../proxy/harness/proxy-process.ts";

export interface ProxiedOptions extends Omit<LabWorkload, "ads"> {
  readonly lab: Lab;
  readonly kind: "sidecar" | "gateway";
  /** The proxy's pin, JSON. */
  readonly pin: string;
  /** Added to the proxy's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
}

export class Proxied {
  readonly workload: Workload;
  /** Where the proxy listens. */
  readonly socket: string;
  proxy: ProxyProcess;
  readonly #restart: () => Promise<ProxyProcess>;
  readonly #folder: string;

  private constructor(parts: {
    workload: Workload;
    socket: string;
    proxy: ProxyProcess;
    restart: () => Promise<ProxyProcess>;
    folder: string;
  }) {
    this.socket = parts.socket;
    this.workload = parts.workload;
    this.proxy = parts.proxy;
    this.#restart = parts.restart;
    this.#folder = parts.folder;
  }

  static async start({ lab, kind, pin, config, files, ...place }: ProxiedOptions): Promise<Proxied> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-proxied-"));
    const socket = join(folder, "ads");
    const start = (): Promise<ProxyProcess> =>
      ProxyProcess.start({
        files: { "pin.json": pin, ...files },
        config: {
          ...{ mode: "check", pin: "pin.json", state: join(folder, "state"), listen: [{ address: `unix:${socket}` }] },
          ...{ upstream: { address: `127.0.0.1:${lab.istiod.adsPort}` }, log: { level: "info" } },
          ...config,
        },
      });
    const proxy = await start();
    const options = { ...place, ads: socket };
    const workload = await (kind === "sidecar" ? lab.startSidecar(options) : lab.startGateway(options));
    return new Proxied({ workload, socket, proxy, restart: start, folder });
  }

  /** What the proxy says of its streams. */
  async streams(): Promise<{ readonly streams: readonly StreamState[] }> {
    const { body } = await this.proxy.admin("/debug/streams");
    return JSON.parse(body) as Awaited<ReturnType<Proxied["streams"]>>;
  }

  /** Of the newest stream, such as `connected`; undefined without a stream. */
  async upstreamState(): Promise<string | undefined> {
    return (await this.streams()).streams.at(-1)?.upstream.state;
  }

  /** The last refusal of a type such as `LDS`. */
  async lastRefusal(short: string): Promise<TypeState["lastRefusal"]> {
    const { streams } = await this.streams();
    return streams.flatMap(({ types }) => types).find((type) => type.short === short)?.lastRefusal;
  }

  /** What was refused since the log had so many lines. */
  refusalsSince(count: number): readonly Refusal[] {
    const events = this.proxy.log
      .since(count)
      .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Refusal] : []));
    return events.filter(({ event }) => event === "response.refused");
  }

  /** SIGKILL, and another one with the same state. */
  async restartProxy(): Promise<void> {
    await this.proxy.kill();
    this.proxy = await this.#restart();
  }

  async stop(): Promise<void> {
    await this.workload.stop();
    await this.proxy.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface StreamState {
  readonly upstream: { readonly state: string };
  readonly types: readonly TypeState[];
}

interface TypeState {
  readonly short: string;
  readonly version: string;
  readonly lastRefusal?: { readonly code: string; readonly resource: string; readonly reason: string };
}

interface Refusal {
  readonly event: string;
  /** Such as `LDS`. */
  readonly type: string;
  readonly resource: string;
  readonly code: string;
  readonly reason: string;
}
