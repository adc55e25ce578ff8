/** The harness on itself: what the tests of the proxy rely on must be so where there is no proxy. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER, ENDPOINTS, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { AdsClient, type AdsClientOptions } from "./harness/ads-client.ts";
import { BrokenOrigin, gzipBomb, grpcFrame } from "./harness/broken-origin.ts";
import { Origin } from "./harness/origin.ts";
import { Relay } from "./harness/relay.ts";

const NODE = { id: "sidecar~127.0.0.1~app.team-a~team-a.svc.cluster.local", metadata: { NAMESPACE: "team-a" } };
const PROTOCOLS = ["sotw", "delta"] as const;

let folder = "";
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-harness-"));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true });
});

function ending<T>(thing: T, end: (thing: T) => unknown): T {
  ends.push(() => end(thing));
  return thing;
}

async function origin(options: { readonly socket?: string } = {}): Promise<Origin> {
  return ending(await Origin.start(options), (o) => {
    o.stop();
  });
}

function client(address: string, protocol: Protocol, more: Partial<AdsClientOptions> = {}): AdsClient {
  return ending(AdsClient.connect({ address, protocol, node: NODE, ...more }), (c) => {
    c.close();
  });
}

function cluster(name: string, altStatName = ""): Resource {
  const value = Buffer.concat([stringField(1, name), stringField(28, altStatName)]);
  return makeResource({ name, version: "", typeUrl: CLUSTER, value });
}

const names = (resources: readonly Resource[]): readonly string[] => resources.map(({ name }) => name);

describe.each(PROTOCOLS)("%s", (protocol) => {
  test("an origin serves, and hears an ACK with the nonce that it gave", async () => {
    const server = await origin();
    server.serve(CLUSTER, [cluster("a"), cluster("b")]);
    const envoy = client(server.address, protocol, { metadata: { authorization: "Bearer token" } });
    envoy.subscribe(CLUSTER);
    const response = await envoy.response();
    expect(names(response.resources)).toEqual(["a", "b"]);
    const stream = await server.stream();
    const answer = await stream.answer(response.nonce);
    expect(answer.error).toBeUndefined();
    expect(stream.metadata["authorization"]).toBe("Bearer token");
    expect(stream.requests.map(({ nodeId }) => nodeId)).toEqual([NODE.id, ""]);
  });

  test("a client refuses with a text, by hand or by itself", async () => {
    const server = await origin({ socket: join(folder, "XDS") });
    const envoy = client(server.address, protocol, {
      judge: ({ version }) => (version === "2" ? { reject: "two is bad" } : undefined),
    });
    server.serve(CLUSTER, [cluster("a")]);
    envoy.subscribe(CLUSTER);
    const first = await envoy.response();
    const stream = await server.stream();
    expect(stream.answersTo(first.nonce)).toEqual([]);
    envoy.reject(first, "by hand");
    expect((await stream.answer(first.nonce)).error).toBe("by hand");
    server.serve(CLUSTER, [cluster("a", "other")]);
    const second = await envoy.response({ from: 1 });
    expect(await stream.answer(second.nonce)).toMatchObject({ error: "two is bad", version: "" });
  });

  test("the test decides each frame: duplicates, another order, any bytes", async () => {
    const server = await origin();
    const envoy = client(server.address, protocol, { judge: () => undefined });
    envoy.subscribe(CLUSTER);
    const stream = await server.stream();
    await stream.subscription(CLUSTER);
    for (const nonce of ["2", "1", "2"]) stream.send({ typeUrl: CLUSTER, nonce, resources: [cluster(nonce)] });
    await envoy.response({ from: 2 });
    expect(envoy.responses.map(({ nonce }) => nonce)).toEqual(["2", "1", "2"]);
  });

  test("what a client that comes back says is what Envoy says", async () => {
    const server = await origin();
    const version = server.serve(CLUSTER, [cluster("a")]);
    const envoy = client(server.address, protocol);
    envoy.subscribe(CLUSTER);
    await (await server.stream()).answer((await envoy.response()).nonce);
    envoy.reconnect();
    const again = await (await server.stream({ count: 2 })).subscription(CLUSTER);
    expect(again.nodeId).toBe(NODE.id);
    expect(again.nonce).toBe("");
    expect(protocol === "sotw" ? again.version : again.initialVersions.get("a")).toBe(version);
  });

  test("a stream that the origin ends has a status at the client", async () => {
    const server = await origin();
    const envoy = client(server.address, protocol);
    envoy.subscribe(CLUSTER);
    (await server.stream()).end();
    const ended = await until({ what: "the end", probe: () => envoy.ended });
    expect(ended).toMatchObject({ code: 14, details: "the origin ends the stream" });
    expect(server.openStreams).toEqual([]);
  });

  test("64 MiB arrive, and a client that does not read makes the origin wait", async () => {
    const server = await origin();
    const envoy = client(server.address, protocol, { judge: () => undefined, keptCount: 1 });
    envoy.subscribe(CLUSTER);
    const stream = await server.stream();
    const value = Buffer.alloc(64 * 1024 * 1024, 97);
    const large = makeResource({
      name: "large",
      version: "",
      typeUrl: CLUSTER,
      value: stringField(1, value.toString("latin1")),
    });
    stream.send({ typeUrl: CLUSTER, resources: [large] });
    expect((await envoy.response()).raw.length).toBeGreaterThan(value.length);
    envoy.pause();
    const frame = stringField(3, "x".repeat(1024 * 1024));
    const taken = Array.from({ length: 32 }, () => stream.sendRaw(frame));
    expect(taken.at(-1)).toBe(false);
    expect(envoy.count).toBe(1);
    envoy.resume();
    await until({ what: "the flood", probe: () => (envoy.count === 33 ? true : undefined) });
  });
});

test("subscriptions by name: SotW repeats all of them, delta the new ones", async () => {
  const server = await origin();
  const endpoints = ["a", "b"].map((name) => ({
    ...makeResource({ name, version: "", typeUrl: ENDPOINTS, value: stringField(1, name) }),
  }));
  server.serve(ENDPOINTS, endpoints);
  const asked: (readonly string[])[] = [];
  const got: (readonly string[])[] = [];
  for (const [i, protocol] of PROTOCOLS.entries()) {
    const envoy = client(server.address, protocol);
    envoy.subscribe(ENDPOINTS, "a");
    await envoy.response();
    envoy.subscribe(ENDPOINTS, "b");
    got.push(names((await envoy.response({ from: 1 })).resources));
    asked.push(
      (await server.stream({ count: i + 1 })).requests.findLast((request) => request.names.includes("b"))?.names ?? [],
    );
  }
  expect(got).toEqual([["a", "b"], ["b"]]);
  expect(asked).toEqual([["a", "b"], ["b"]]);
});

test("a relay that is frozen keeps its connections and moves nothing, until it thaws or is cut", async () => {
  const server = await origin();
  const relay = ending(await Relay.start(server.port), async (r) => r.stop());
  const envoy = client(relay.address, "sotw");
  envoy.subscribe(CLUSTER);
  const stream = await server.stream();
  await stream.subscription(CLUSTER);
  relay.freeze();
  server.serve(CLUSTER, [cluster("a")]);
  const other = client(server.address, "sotw");
  other.subscribe(CLUSTER);
  await other.response();
  expect([envoy.count, envoy.ended]).toEqual([0, undefined]);
  relay.thaw();
  await envoy.response();
  relay.cut();
  expect(await until({ what: "the end", probe: () => envoy.ended })).toMatchObject({ code: 14 });
});

test("below gRPC: a frame that is cut off, and one that grows when it is decompressed", async () => {
  const cut = ending(await BrokenOrigin.start(), async (o) => o.stop());
  const envoy = client(cut.address, "sotw");
  envoy.subscribe(CLUSTER);
  (await cut.stream()).end(grpcFrame(stringField(4, CLUSTER), { lengthBytes: 1000 }));
  await until({ what: "the end", probe: () => envoy.ended });
  expect(envoy.count).toBe(0);
  const bomb = ending(await BrokenOrigin.start({ encoding: "gzip" }), async (o) => o.stop());
  const victim = client(bomb.address, "sotw", { judge: () => undefined });
  victim.subscribe(CLUSTER);
  const frame = gzipBomb(8 * 1024 * 1024);
  expect(frame.length).toBeLessThan(10_000);
  (await bomb.stream()).write(frame);
  expect((await victim.response()).raw.length).toBeGreaterThan(8 * 1024 * 1024);
  (await bomb.stream()).write(grpcFrame(Buffer.from("no message")));
  await until({ what: "what cannot be read", probe: () => victim.unreadable[0] });
  expect(victim.responses).toHaveLength(1);
});
