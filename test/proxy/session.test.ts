/** One Envoy's session between two ends that the test plays, with the owner's statements on a third stream. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { NodeSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import {
  HttpConnectionManagerSchema,
  type HttpConnectionManager,
} from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { AdsStream } from "../../xds-proxy/src/grpc/ads-stream.ts";
import { NO_LOG } from "../../xds-proxy/src/log.ts";
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { Session } from "../../xds-proxy/src/proxy/check/session.ts";
import { Trust } from "../../xds-proxy/src/proxy/check/trust.ts";
import { ProxyMetrics } from "../../xds-proxy/src/proxy/metrics.ts";
import { NO_REQUEST, readRequest, writeRequest, type ReadRequest } from "../../xds-proxy/src/xds/request.ts";
import { readResponse, type Response } from "../../xds-proxy/src/xds/response.ts";
import { CLUSTER, EXTENSION, LISTENER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { next, streamPair } from "./harness/stream-pair.ts";
import { Files, Memory } from "./inspection-stage.ts";
import { clusterOf, EXT, extensionOf, listenerOf, MODULE_SHA256 } from "./istiod-resources.ts";
import { guardOf, pinOf, policyOf, TestOwner } from "./owner.ts";
import { wireResponse } from "./wire-response.ts";

const START_MS = Date.parse("2030-01-01T00:00:00Z");
const PROTOCOLS = ["sotw", "delta"] as const;
const GOOD = listenerOf("inbound", 8080, [EXT]);
const BAD = listenerOf("inbound", 8080, []);

let owner: TestOwner;
let guarded: NamespaceBundle;
let stage: SessionStage | undefined;

beforeAll(async () => {
  owner = await TestOwner.create("team-a", START_MS);
  const spec = { ports: [{ port: 8080 }], belt: false, filter: { sha256: [MODULE_SHA256] } };
  guarded = await owner.publish([policyOf("team-a", "GET"), guardOf("team-a", spec)]);
});
afterEach(async () => {
  await stage?.end();
  stage = undefined;
});

class SessionStage {
  readonly protocol: Protocol;
  readonly trust: Trust;
  /** Each stream to istiod, at istiod's end, as it is opened. */
  readonly #opened: AdsStream[] = [];
  readonly #envoy: AdsStream;
  readonly #running: Promise<void>;
  #wake: (() => void) | undefined;

  constructor(protocol: Protocol) {
    this.protocol = protocol;
    const memory = new Memory();
    this.trust = new Trust({ pin: pinOf(owner), keeper: memory, nowMs });
    const [node, envoy] = streamPair(protocol);
    this.#envoy = envoy;
    const session = new Session(
      {
        ...{ id: "1", stream: node, first: this.#asks(CLUSTER), said: create(NodeSchema, { id: "node" }) },
        node: { id: "node", namespace: "team-a", labels: {}, identity: undefined },
        connect: ({ signal }) => {
          const [near, far] = streamPair(protocol);
          signal.addEventListener("abort", () => {
            near.end();
          });
          this.#opened.push(far);
          this.#wake?.();
          return Promise.resolve(near);
        },
        isStale: () => false,
      },
      {
        ...{ mode: "check", trust: this.trust, files: new Files(), resourcesMaxCount: 10, log: NO_LOG, nowMs },
        keeper: { accepted: () => [], keepAccepted: () => undefined },
        policy: { firstMs: 1, maxMs: 1, healthyMs: 1 },
        metrics: new ProxyMetrics(),
      },
    );
    this.#running = session.run();
  }

  subscribe(typeUrl: string): void {
    void this.#envoy.write(this.#asks(typeUrl));
  }

  /** The n-th stream to istiod, from 1. */
  async istiod(count: number): Promise<AdsStream> {
    for (;;) {
      const stream = this.#opened[count - 1];
      if (stream) return stream;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  send(stream: AdsStream, typeUrl: string, contents: Readonly<Record<string, Uint8Array>>, nonce: string): void {
    void stream.write(wireResponse({ protocol: this.protocol, typeUrl, nonce, contents, removed: [] }));
  }

  async response(): Promise<Response> {
    return readResponse((await next(this.#envoy)) ?? new Uint8Array(), this.protocol);
  }

  async request(stream: AdsStream): Promise<ReadRequest> {
    return readRequest((await next(stream)) ?? new Uint8Array(), this.protocol);
  }

  async end(): Promise<void> {
    this.#envoy.end();
    await this.#running;
  }

  #asks(typeUrl: string): Uint8Array {
    return writeRequest({ ...NO_REQUEST, typeUrl }, this.protocol);
  }
}

function nowMs(): number {
  return START_MS + 3_600_000;
}

function statements(): Readonly<Record<string, Uint8Array>> {
  return { [EXT]: extensionOf({ text: encodeBundle([guarded]) }) };
}

describe.each(PROTOCOLS)("%s", (protocol) => {
  /** Statements unknown, listeners on their way: istiod is asked for the statements on a stream of its own. */
  async function scouting(listener: Uint8Array): Promise<AdsStream> {
    stage = new SessionStage(protocol);
    const main = await stage.istiod(1);
    stage.subscribe(LISTENER);
    expect([(await stage.request(main)).typeUrl, (await stage.request(main)).typeUrl]).toEqual([CLUSTER, LISTENER]);
    stage.send(main, LISTENER, { inbound: listener, names: listenerOf("names", 9090, [EXT]) }, "1");
    return await stage.istiod(2);
  }

  test("statements are asked for before the first listeners are judged, and these wait for them", async () => {
    const scout = await scouting(BAD);
    expect(await stage?.request(scout)).toMatchObject({
      ...{ typeUrl: EXTENSION, node: { id: "node" } },
      ...(protocol === "sotw" ? { names: [EXT] } : { subscribe: [EXT] }),
    });
    stage?.send(scout, CLUSTER, {}, "1");
    stage?.send(scout, EXTENSION, statements(), "2");
    const { resources = [] } = (await stage?.response()) ?? {};
    expect(stage?.trust.known("team-a")?.bundle).toEqual(guarded);
    expect(Buffer.from(resources[0]?.value ?? []).includes("wpgate_deny_all")).toBe(true);
    expect(Buffer.from(resources[1]?.value ?? [])).toEqual(Buffer.from(listenerOf("names", 9090, [EXT])));
    expect(await next(scout)).toBeUndefined();
  });

  test("good listeners are opened by them at once", async () => {
    const scout = await scouting(GOOD);
    stage?.send(scout, EXTENSION, statements(), "1");
    const { resources = [] } = (await stage?.response()) ?? {};
    expect(Buffer.from(resources[0]?.value ?? [])).toEqual(Buffer.from(GOOD));
  });

  test("a scout that brings nothing leaves all listeners closed", async () => {
    const scout = await scouting(GOOD);
    scout.end();
    const { resources = [] } = (await stage?.response()) ?? {};
    expect(resources.map(({ value }) => Buffer.from(value).includes("wpgate_deny_all"))).toEqual([true, true]);
  });

  test("a listener that leads past the filter, as clusters say later, is taken away before Envoy has answered", async () => {
    const scout = await scouting(leading("inbound", "outside"));
    stage?.send(scout, EXTENSION, statements(), "1");
    const first = await stage?.response();
    expect(first?.resources.map(({ name }) => name)).toEqual(["inbound", "names"]);
    const main = await stage?.istiod(1);
    if (main) stage?.send(main, CLUSTER, { outside: clusterOf("outside", "127.0.0.1", 8080) }, "2");
    expect(await stage?.response()).toMatchObject({ typeUrl: CLUSTER, resources: [] });
    const later = await stage?.response();
    expect(later?.typeUrl).toBe(LISTENER);
    expect(later?.resources.map(({ name }) => name)).not.toContain("inbound");
    expect(later?.removed).toEqual(protocol === "delta" ? ["inbound"] : []);
  });
});

/** A listener of a port that is not protected, all of whose requests go to one cluster. */
function leading(name: string, cluster: string): Uint8Array {
  const listener = fromBinary(ListenerSchema, listenerOf(name, 9091, []));
  const filter = listener.filterChains[0]?.filters[0];
  if (filter?.configType.case !== "typedConfig") throw new Error("no connection manager");
  const manager = anyUnpack(filter.configType.value, HttpConnectionManagerSchema) as HttpConnectionManager;
  const action = { case: "route", value: { clusterSpecifier: { case: "cluster", value: cluster } } } as const;
  const match = { pathSpecifier: { case: "prefix", value: "/" } } as const;
  const virtualHosts = [{ name: "all", domains: ["*"], routes: [{ match, action }] }];
  manager.routeSpecifier = { case: "routeConfig", value: create(RouteConfigurationSchema, { virtualHosts }) };
  filter.configType.value = anyPack(HttpConnectionManagerSchema, manager);
  return toBinary(ListenerSchema, listener);
}
