/** `wpgate proxy` inside the test's own process: starts at once, and a test sees its log and sets its clock. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatAddress } from "../../../xds-proxy/src/config/addresses.ts";
import { parseProxyConfig } from "../../../xds-proxy/src/config/proxy-schema.ts";
import { send } from "../../../xds-proxy/src/demo/http-request.ts";
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { startProxy } from "../../../xds-proxy/src/proxy/app.ts";
import type { LogEvent, LogFields, Logger } from "../../../xds-proxy/src/log.ts";
import type { RunningProxy } from "../../../xds-proxy/src/proxy/running-proxy.ts";
import type { StreamView, StreamsAnswer, TypeView } from "../../../xds-proxy/src/proxy/view.ts";
import { freePort } from "../../lab/free-port.ts";
import type { Wait } from "./origin.ts";
import type { ProxyOptions } from "./proxy-process.ts";

export interface LocalProxyOptions extends Pick<ProxyOptions, "config" | "files"> {
  readonly nowMs?: () => number;
}

export interface Logged {
  readonly event: LogEvent;
  readonly fields: LogFields;
}

export class LocalProxy {
  readonly events: readonly Logged[];
  readonly #proxy: RunningProxy;
  readonly #folder: string;
  readonly #adminPort: number;

  private constructor(parts: { proxy: RunningProxy; folder: string; adminPort: number; events: readonly Logged[] }) {
    this.events = parts.events;
    this.#proxy = parts.proxy;
    this.#folder = parts.folder;
    this.#adminPort = parts.adminPort;
  }

  static async start({ config, files = {}, nowMs = Date.now }: LocalProxyOptions): Promise<LocalProxy> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-local-"));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
    const adminPort = await freePort();
    const parsed = parseProxyConfig({ admin: `127.0.0.1:${adminPort}`, ...config }, { name: "test", folder });
    const events: Logged[] = [];
    try {
      const proxy = await startProxy(parsed, { log: logInto(events), nowMs, signal: new AbortController().signal });
      return new LocalProxy({ proxy, folder, adminPort, events });
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** The first of its addresses, for gRPC. */
  get address(): string {
    const [address] = this.#proxy.addresses;
    if (address === undefined) throw new Error("the proxy listens nowhere");
    return formatAddress(address);
  }

  async admin(path: string): Promise<{ readonly status: number; readonly body: string }> {
    return await send({ port: this.#adminPort, path });
  }

  async streams(): Promise<readonly StreamView[]> {
    const { body } = await this.admin("/debug/streams");
    return (JSON.parse(body) as StreamsAnswer).streams;
  }

  /** Of the only stream there is, or the first: that of the node, not of the half beside istiod. */
  async type(typeUrl: string): Promise<TypeView | undefined> {
    const [stream] = await this.streams();
    return stream?.types.find((type) => type.typeUrl === typeUrl);
  }

  /** The first event from a count on that fits. Rejects with UpstreamError `TIMEOUT`. */
  async event(
    event: LogEvent,
    wait: Wait & { readonly from?: number; readonly fits?: (fields: LogFields) => boolean } = {},
  ): Promise<LogFields> {
    const { from = 0, fits = () => true, ...rest } = wait;
    return await until({
      what: `event ${event}`,
      probe: () => this.events.slice(from).find((one) => one.event === event && fits(one.fields))?.fields,
      context: () => JSON.stringify(this.events.slice(from).slice(-8)),
      ...rest,
    });
  }

  async drain(): Promise<void> {
    await this.#proxy.drain();
  }

  async stop(): Promise<void> {
    await this.#proxy.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function logInto(events: Logged[]): Logger {
  const note = (event: LogEvent, fields: LogFields = {}): void => void events.push({ event, fields });
  return { debug: note, info: note, warn: note, error: note };
}
