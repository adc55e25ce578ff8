/** An origin, a proxy in one process with the test, and a client: what the flow and hostility tests play on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { AdsClient, type AdsClientOptions } from "./harness/ads-client.ts";
import { Carrier } from "./harness/carrier.ts";
import { LocalProxy } from "./harness/local-proxy.ts";
import { Origin } from "./harness/origin.ts";
import { proxyOptions, proxyTrust, type ProxyPlace, type ProxyTrust } from "./harness/proxy-config.ts";

export const NODE = {
  id: "sidecar~127.0.0.1~app.team-a~team-a.svc.cluster.local",
  metadata: { NAMESPACE: "team-a" },
};

export type Flow = "check" | "wrap+unwrap" | "carried";

/** Keys and a pin that says only who may push: what istiod says is not judged. */
export async function pushTrust(): Promise<ProxyTrust> {
  const trust = await proxyTrust();
  const pin = JSON.parse(String(trust.files["pin.json"])) as object;
  return { ...trust, files: { ...trust.files, "pin.json": JSON.stringify({ ...pin, role: "ads" }) } };
}

/** A resource of any type that has its name in field 1; `note` makes it another one. */
export function resource(typeUrl: string, name: string, note = ""): Resource {
  const value = Buffer.concat([stringField(1, name), bytesField(UNKNOWN_FIELD, Buffer.from(note))]);
  return makeResource({ name, version: note, typeUrl, value });
}

const UNKNOWN_FIELD = 1_000;

export interface SceneOptions {
  readonly flow: Flow;
  readonly protocol: Protocol;
  readonly trust: ProxyTrust;
  readonly place?: Partial<ProxyPlace>;
  /** Added to the configuration of what is beside the client. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly nowMs?: () => number;
  /** Of the wrapping proxy, in the flow that has two; the same when absent. */
  readonly wrappingNowMs?: () => number;
  readonly judge?: AdsClientOptions["judge"];
  /** Where the origin is; one of its own when absent. */
  readonly upstream?: string;
}

export class Scene {
  readonly origin: Origin;
  /** Between the two proxies, in the flow that has one. */
  readonly carrier: Carrier | undefined;
  readonly folder: string;
  proxy: LocalProxy;
  readonly #options: SceneOptions;
  readonly #parts: { readonly upstream: string; readonly wrapping: LocalProxy | undefined };
  readonly #clients: AdsClient[] = [];

  private constructor(
    scene: Pick<Scene, "origin" | "carrier" | "folder" | "proxy">,
    options: SceneOptions,
    parts: { readonly upstream: string; readonly wrapping: LocalProxy | undefined },
  ) {
    this.origin = scene.origin;
    this.carrier = scene.carrier;
    this.folder = scene.folder;
    this.proxy = scene.proxy;
    this.#options = options;
    this.#parts = parts;
  }

  static async start(options: SceneOptions): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-scene-"));
    const origin = await Origin.start();
    const target = options.upstream ?? origin.address;
    const wrapping = options.flow === "carried" ? await startWrapping(options, target) : undefined;
    const carrier = wrapping && (await Carrier.start(wrapping.address));
    const upstream = carrier?.address ?? target;
    const proxy = await startBeside(options, { folder, upstream });
    return new Scene({ origin, carrier, folder, proxy }, options, { upstream, wrapping });
  }

  /** A property, so that tests can take it out of the scene. */
  readonly connect = (more: Partial<AdsClientOptions> = {}): AdsClient => {
    const { protocol, judge } = this.#options;
    const client = AdsClient.connect({
      ...{ address: `unix:${join(this.folder, "ads")}`, protocol, node: NODE, ...(judge && { judge }) },
      ...more,
    });
    this.#clients.push(client);
    return client;
  };

  /** The proxy beside the client ends, and another one comes with what it has left behind. */
  async restart(): Promise<void> {
    await this.proxy.stop();
    this.proxy = await startBeside(this.#options, { folder: this.folder, upstream: this.#parts.upstream });
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.proxy.stop();
    this.carrier?.stop();
    await this.#parts.wrapping?.stop();
    this.origin.stop();
    await rm(this.folder, { recursive: true });
  }
}

async function startWrapping(
  { trust, place, nowMs, wrappingNowMs = nowMs }: SceneOptions,
  upstream: string,
): Promise<LocalProxy> {
  const options = proxyOptions(trust, { ...place, mode: "wrap", upstream, listen: "127.0.0.1:0" });
  return await LocalProxy.start({ ...options, ...(wrappingNowMs && { nowMs: wrappingNowMs }) });
}

async function startBeside(
  { flow, trust, place, config, nowMs }: SceneOptions,
  { folder, upstream }: { readonly folder: string; readonly upstream: string },
): Promise<LocalProxy> {
  const mode = flow === "carried" ? "unwrap" : flow;
  const listen = `unix:${join(folder, "ads")}`;
  const options = proxyOptions(trust, { state: join(folder, "state"), ...place, mode, upstream, listen });
  return await LocalProxy.start({
    ...options,
    config: { ...options.config, ...config },
    ...(nowMs && { nowMs }),
  });
}
