/** Floods and slow readers against the program as it is shipped: it lives, holds little, and goes on afterwards. */
import { rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { CLUSTER, ENDPOINTS } from "../../xds-proxy/src/xds/type-url.ts";
import { AdsClient, type AdsClientOptions } from "./harness/ads-client.ts";
import { BrokenOrigin, gzipBomb } from "./harness/broken-origin.ts";
import { Origin, type OriginStream } from "./harness/origin.ts";
import { proxyOptions, type ProxyTrust } from "./harness/proxy-config.ts";
import { ProxyProcess, SHIPPED } from "./harness/proxy-process.ts";
import { NODE, pushTrust, resource } from "./scene.ts";

const MIB = 1024 * 1024;
/** Just below what one message may have. */
const LARGE_BYTES = 63 * MIB;
const LARGE_COUNT = 20;
/** On each hop a message on its way in, one ahead, and the copies that gRPC makes of them, some of them garbage: less than was sent. */
const HELD_MAX_BYTES = 16 * LARGE_BYTES;

let trust: ProxyTrust;
let folder = "";
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  trust = await pushTrust();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-load-"));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true });
});

function ending<T>(thing: T, end: (thing: T) => unknown): T {
  ends.push(() => end(thing));
  return thing;
}

describe.each(["check", "wrap+unwrap"] as const)("%s", (mode) => {
  async function start(
    upstream: string,
    judge?: AdsClientOptions["judge"],
  ): Promise<{ proxy: ProxyProcess; client: AdsClient }> {
    const address = `unix:${join(folder, "ads")}`;
    const options = proxyOptions(trust, { mode, upstream, listen: address, heartbeatSec: 1 });
    const proxy = ending(await ProxyProcess.start({ ...options, program: SHIPPED }), (p) => p.stop());
    const client = ending(
      AdsClient.connect({ address, protocol: "sotw", node: NODE, keptCount: 2, ...(judge && { judge }) }),
      (c) => {
        c.close();
      },
    );
    return { proxy, client };
  }

  async function startWithOrigin(
    judge?: AdsClientOptions["judge"],
  ): Promise<{ proxy: ProxyProcess; client: AdsClient; stream: OriginStream }> {
    const origin = ending(await Origin.start(), (o) => {
      o.stop();
    });
    const { proxy, client } = await start(origin.address, judge);
    client.subscribe(ENDPOINTS, "a");
    const stream = await origin.stream();
    await stream.subscription(ENDPOINTS);
    return { proxy, client, stream };
  }

  const large = (() => {
    const value = Buffer.concat([stringField(1, "a"), bytesField(1_000, Buffer.alloc(LARGE_BYTES))]);
    return {
      ...resource(ENDPOINTS, "a"),
      value,
      any: Buffer.concat([stringField(1, ENDPOINTS), bytesField(2, value)]),
    };
  })();

  /** The largest that was seen. */
  async function rssWhile(proxy: ProxyProcess, isDone: () => boolean): Promise<number> {
    let most = 0;
    await until({
      what: "the end of what is measured",
      timeoutMs: 90_000,
      intervalMs: 20,
      probe: async () => {
        most = Math.max(most, await proxy.rssBytes());
        return isDone() ? true : undefined;
      },
    });
    return most;
  }

  test("a client that does not read, while the origin sends the largest messages there are", async () => {
    const { proxy, client, stream } = await startWithOrigin();
    const before = await proxy.rssBytes();
    client.pause();
    for (let i = 1; i <= LARGE_COUNT; i++) stream.send({ typeUrl: ENDPOINTS, version: String(i), resources: [large] });
    // Longer than heartbeats may be missing: it is this side that does not listen.
    const pausedMs = performance.now();
    const paused = await rssWhile(proxy, () => performance.now() - pausedMs > 4_000);
    expect(client.count).toBe(0);
    client.resume();
    const most = await rssWhile(proxy, () => client.count >= LARGE_COUNT);
    await stream.answer(`n${LARGE_COUNT}`, { timeoutMs: 60_000 });
    expect(client).toMatchObject({ count: LARGE_COUNT, ended: undefined });
    expect(Math.max(paused, most) - before).toBeLessThan(HELD_MAX_BYTES);
    expect(stream.open).toBe(true);
  });

  test("a client that reads and does not answer, while the origin sends the largest messages there are", async () => {
    const { proxy, client, stream } = await startWithOrigin(() => undefined);
    const before = await proxy.rssBytes();
    for (let i = 1; i <= LARGE_COUNT; i++) stream.send({ typeUrl: ENDPOINTS, version: String(i), resources: [large] });
    // Two are more than may wait for an answer; the request that follows has passed everything that could still come.
    await client.response({ from: 1, timeoutMs: 60_000 });
    client.subscribe(CLUSTER);
    await stream.subscription(CLUSTER);
    expect(client.count).toBe(2);
    expect((await proxy.rssBytes()) - before).toBeLessThan(HELD_MAX_BYTES);
    for (let i = 0; i < LARGE_COUNT; i++) client.accept(await client.response({ from: i, timeoutMs: 60_000 }));
    await stream.answer(`n${LARGE_COUNT}`, { timeoutMs: 60_000 });
  });

  test("bombs in gzip, one after the other", async () => {
    const broken = ending(await BrokenOrigin.start({ encoding: "gzip" }), (o) => o.stop());
    const { proxy, client } = await start(broken.address);
    client.subscribe(CLUSTER);
    const before = await proxy.rssBytes();
    const bomb = gzipBomb(1024 * MIB);
    expect(bomb.length).toBeLessThan(2 * MIB);
    for (let i = 1; i <= 3; i++) (await broken.stream(i)).end(bomb);
    await broken.stream(4);
    expect((await proxy.rssBytes()) - before).toBeLessThan(HELD_MAX_BYTES);
    expect((await proxy.admin("/healthz")).status).toBe(200);
    expect(client).toMatchObject({ count: 0, ended: undefined });
  });
});
