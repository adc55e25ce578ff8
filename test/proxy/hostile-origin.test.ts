/** A control plane that sends what no control plane should: what the client has stays, the reason is there to read, and the proxy goes on. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER, ENDPOINTS, LISTENER, ROUTES } from "../../xds-proxy/src/xds/type-url.ts";
import { BrokenOrigin, gzipBomb, grpcFrame, type BrokenOriginOptions } from "./harness/broken-origin.ts";
import type { OriginStream } from "./harness/origin.ts";
import type { ProxyTrust } from "./harness/proxy-config.ts";
import { Relay } from "./harness/relay.ts";
import { pushTrust, resource, Scene, type Flow, type SceneOptions } from "./scene.ts";

const FLOWS = ["check", "wrap+unwrap"] as const satisfies readonly Flow[];
const PROTOCOLS = ["sotw", "delta"] as const;
const PLAYS = FLOWS.flatMap((flow) => PROTOCOLS.map((protocol) => [flow, protocol] as const));
const KIB = 1024;
const MIB = 1024 * KIB;

let trust: ProxyTrust;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  trust = await pushTrust();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function open(options: Pick<SceneOptions, "flow" | "protocol"> & Partial<SceneOptions>): Promise<Scene> {
  const scene = await Scene.start({ trust, ...options });
  ends.push(() => scene.stop());
  return scene;
}

/** One bad resource among good ones, of a type whose content is always looked at. */
const CONTENTS: readonly (readonly [what: string, code: string, bad: Resource])[] = [
  ["another message inside", "TYPE", makeResource({ ...resource(CLUSTER, "b"), typeUrl: CLUSTER })],
  ["a name for the second time", "TYPE", resource(LISTENER, "a", "the other one")],
];

/** What only delta can say. */
const DELTA_CONTENTS: typeof CONTENTS = [
  ...CONTENTS,
  ["bytes that are no message", "TYPE", rawListener("b", Uint8Array.of(0xff))],
  ["another name inside", "TYPE", { ...resource(LISTENER, "b"), name: "a2" }],
];

function rawListener(name: string, value: Uint8Array): Resource {
  return makeResource({ name, version: "2", typeUrl: LISTENER, value });
}

const UNKNOWN_FIELD = 1_000;

/** Whole responses that say nothing. */
const MESSAGES: readonly (readonly [what: string, code: string, message: Uint8Array])[] = [
  ["bytes that are no protobuf", "PROTOBUF", Uint8Array.of(0xff, 0xff, 0xff)],
  ["a response that ends too early", "PROTOBUF", Uint8Array.of(0x12, 0x7f, 0x0a)],
  [
    "a resource that is no Any",
    "PROTOBUF",
    Buffer.concat([bytesField(2, Uint8Array.of(0x0a, 0x7f)), stringField(4, LISTENER)]),
  ],
  ["a response over the limit", "EXHAUSTED", bytesField(UNKNOWN_FIELD, Buffer.alloc(3 * MIB))],
];

/** Below gRPC: grpc-js takes the letters of another protocol for the length of a frame. */
const FRAMES: readonly (readonly [what: string, code: string, sent: { frame: Buffer } & BrokenOriginOptions])[] = [
  ["a frame that is cut off", "UNAVAILABLE", { frame: grpcFrame(stringField(4, CLUSTER), { lengthBytes: 1_000 }) }],
  ["a frame that says 4 GiB", "EXHAUSTED", { frame: grpcFrame(stringField(4, CLUSTER), { lengthBytes: 0xffff_ffff }) }],
  ["a bomb in gzip", "EXHAUSTED", { frame: gzipBomb(64 * MIB), encoding: "gzip" }],
  ["a bomb in gzip that nobody announced", "PROTOCOL", { frame: gzipBomb(64 * MIB) }],
  ["no frame at all", "EXHAUSTED", { frame: Buffer.from("HTTP/1.1 200 OK\r\n\r\n") }],
];

describe.each(PLAYS)("%s, %s", (flow, protocol) => {
  test.each(protocol === "sotw" ? CONTENTS : DELTA_CONTENTS)("%s: %s, and the rest goes on", async (_, code, bad) => {
    const { origin, proxy, connect } = await open({ flow, protocol });
    const client = connect();
    client.subscribe(LISTENER);
    const stream = await origin.stream();
    await stream.subscription(LISTENER);
    const good = resource(LISTENER, "a", "1");
    const nonce = stream.send({ typeUrl: LISTENER, version: "1", resources: [good, bad] });
    const { resources } = await client.response();
    expect(resources.map(({ name, value }) => [name, Buffer.from(value)])).toEqual([["a", Buffer.from(good.value)]]);
    const { error } = await stream.answer(nonce);
    expect(error).toMatch(/^wpgate refused LDS \w*: TYPE: .+ \(left out\)$/);
    expect((await proxy.type(LISTENER))?.lastRefusal).toMatchObject({ code });
    expect((await proxy.admin("/metrics")).body).toMatch(new RegExp(`refusals_total\\{code="${code}"\\} 1`));
  });

  test.each(MESSAGES)("%s ends the stream (%s) and nothing else", async (_, code, message) => {
    const { origin, proxy, connect } = await open({ flow, protocol, place: { limits: { messageMaxBytes: 2 * MIB } } });
    origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")], "1");
    const client = connect();
    client.subscribe(CLUSTER);
    client.subscribe(LISTENER);
    await client.response();
    const stream = await origin.stream();
    await stream.answer("n1");
    await stream.subscription(LISTENER);
    stream.sendRaw(message);
    expect((await proxy.event("upstream.lost"))["code"]).toBe(code);
    await goesOn(await origin.stream({ count: 2 }), client);
  });

  test.each(FRAMES)("%s: %s", async (_, code, { frame, ...options }) => {
    const broken = await BrokenOrigin.start(options);
    ends.push(() => broken.stop());
    const { proxy, connect } = await open({ flow, protocol, upstream: broken.address });
    const client = connect();
    client.subscribe(CLUSTER);
    (await broken.stream()).end(frame);
    const lost = await proxy.event("upstream.lost");
    expect(lost["code"]).toBe(code);
    await broken.stream(2);
    expect(client).toMatchObject({ count: 0, ended: undefined });
  });

  test("more resources than the limit: LIMIT, and what the client has stays", async () => {
    const place = { limits: { resourcesMaxCount: 10 } };
    const { origin, proxy, connect } = await open({ flow, protocol, place });
    const names = (count: number, prefix: string): readonly Resource[] =>
      Array.from({ length: count }, (_, i) => resource(CLUSTER, `${prefix}${i}`));
    const client = connect();
    client.subscribe(CLUSTER);
    const stream = await origin.stream();
    await stream.subscription(CLUSTER);
    await stream.answer(stream.send({ typeUrl: CLUSTER, version: "1", resources: names(10, "a") }));
    stream.send({ typeUrl: CLUSTER, version: "2", resources: protocol === "sotw" ? names(11, "a") : names(1, "b") });
    expect((await proxy.event("upstream.lost"))["code"]).toBe("LIMIT");
    expect(client).toMatchObject({ count: 1, ended: undefined });
    expect(await proxy.type(CLUSTER)).toMatchObject({ version: "1", acceptedCount: 10 });
  });

  test("a response as large as the limit comes through", async () => {
    const messageMaxBytes = 256 * KIB;
    const { origin, connect } = await open({ flow, protocol, place: { limits: { messageMaxBytes } } });
    const client = connect();
    client.subscribe(CLUSTER);
    const stream = await origin.stream();
    await stream.subscription(CLUSTER);
    const note = "x".repeat(messageMaxBytes - 300);
    const large = { ...resource(CLUSTER, "a", note), version: "1" };
    stream.send({ typeUrl: CLUSTER, version: "1", resources: [large] });
    expect((await client.response()).raw.length).toBeGreaterThan(messageMaxBytes - 300);
  });

  test("types that nobody asked for, by the thousands, are left out", async () => {
    const { origin, proxy, connect } = await open({ flow, protocol });
    const client = connect();
    client.subscribe(CLUSTER);
    const stream = await origin.stream();
    await stream.subscription(CLUSTER);
    for (let i = 0; i < 3_000; i++) stream.send({ typeUrl: `type.googleapis.com/evil.v${i}.Type` });
    stream.send({ typeUrl: CLUSTER, version: "1", resources: [resource(CLUSTER, "a")] });
    await client.response({ fits: ({ typeUrl }) => typeUrl === CLUSTER });
    expect(client.count).toBe(1);
    expect((await proxy.streams())[0]?.types.map(({ typeUrl }) => typeUrl)).toEqual([CLUSTER]);
    expect((await proxy.admin("/metrics")).body).not.toContain("evil");
  });

  test("a flood that the client does not answer waits at the origin", async () => {
    const judge = (): undefined => undefined;
    const { origin, connect } = await open({ flow, protocol, judge });
    const client = connect();
    client.subscribe(ENDPOINTS, "a");
    const stream = await origin.stream();
    await stream.subscription(ENDPOINTS);
    for (let i = 1; i <= 300; i++)
      stream.send({ typeUrl: ENDPOINTS, version: String(i), resources: [resource(ENDPOINTS, "a", String(i))] });
    await client.response({ from: 64 });
    // A round trip through everything that could still be on its way.
    client.subscribe(ROUTES, "r");
    await stream.subscription(ROUTES);
    expect(client.count).toBe(65);
    for (let i = 0; i < 300; i++) client.accept(await client.response({ from: i }));
    await stream.answer("n300");
    expect(client.responses.map(({ version }) => version)).toEqual(Array.from({ length: 300 }, (_, i) => `${i + 1}`));
  });

  test("a connection that is half open is given up: what is kept is served, and a new one is made", async () => {
    const { origin } = await open({ flow: "check", protocol });
    const relay = await Relay.start(origin.port);
    ends.push(() => relay.stop());
    const keepalive = { timeSec: 1, timeoutSec: 1 };
    const upstream = { address: relay.address, keepalive, connectTimeoutSec: 1 };
    const place = { heartbeatSec: 30 };
    const { proxy, connect } = await open({ flow, protocol, place, config: { upstream } });
    origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")], "1");
    const client = connect();
    client.subscribe(CLUSTER);
    await client.response();
    relay.freeze();
    await proxy.event("upstream.lost", { timeoutMs: 20_000 });
    relay.cut();
    relay.thaw();
    await goesOn(await origin.stream({ count: 2, timeoutMs: 20_000 }), client);
    expect(client.ended).toBeUndefined();
  });
});

/** The newest state arrives on another stream. */
async function goesOn(stream: OriginStream, client: ReturnType<Scene["connect"]>): Promise<void> {
  await stream.subscription(CLUSTER);
  stream.send({ typeUrl: CLUSTER, version: "2", resources: [resource(CLUSTER, "a", "2")] });
  const { resources } = await client.response({ fits: ({ version }) => version === "2", timeoutMs: 20_000 });
  expect(resources.map(({ name }) => name)).toEqual(["a"]);
  expect(client.ended).toBeUndefined();
}
