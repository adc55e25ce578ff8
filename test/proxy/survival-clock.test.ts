/**
 * Wall clocks that jump, on either side of signed pushes. Within the tolerance nothing happens; beyond it pushes are refused, as
 * docs/envelope.md says, the client keeps what it has, and when the clock is right again everything goes on by itself.
 */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { CLOCK_SKEW_SEC } from "../../xds-proxy/src/gen/limits.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";
import type { ProxyTrust } from "./harness/proxy-config.ts";
import { pushTrust, resource, Scene } from "./scene.ts";

const HOUR_SEC = 3_600;
const DAY_SEC = 24 * HOUR_SEC;
const WITHIN_SEC = CLOCK_SKEW_SEC - 10;

let trust: ProxyTrust;
let scene: Scene | undefined;
beforeAll(async () => {
  trust = await pushTrust();
});
afterEach(async () => {
  await scene?.stop();
  scene = undefined;
});

type Side = "beside" | "wrapping" | "both";

async function open(): Promise<{ scene: Scene; jump: (side: Side, bySec: number) => void }> {
  const shiftMs = { beside: 0, wrapping: 0 };
  const opened = (scene = await Scene.start({
    ...{ flow: "carried", protocol: "sotw", trust, place: { heartbeatSec: 1 } },
    nowMs: () => Date.now() + shiftMs.beside,
    wrappingNowMs: () => Date.now() + shiftMs.wrapping,
  }));
  const jump = (side: Side, bySec: number): void => {
    for (const one of side === "both" ? (["beside", "wrapping"] as const) : [side]) shiftMs[one] += bySec * 1000;
  };
  return { scene: opened, jump };
}

/** Serves a version and waits until the client has it. */
async function arrives({ origin }: Scene, client: ReturnType<Scene["connect"]>, version: string): Promise<void> {
  const from = client.count;
  origin.serve(CLUSTER, [resource(CLUSTER, "a", version)], version);
  await client.response({ from, timeoutMs: 40_000, fits: (response) => response.version === version });
}

describe("within the tolerance", () => {
  test.each<readonly [side: Side, bySec: number]>([
    ["beside", WITHIN_SEC],
    ["beside", -WITHIN_SEC],
    ["wrapping", WITHIN_SEC],
    ["wrapping", -WITHIN_SEC],
    ["both", DAY_SEC],
    ["both", -WITHIN_SEC],
  ])("%s by %i s: the session goes on", async (side, bySec) => {
    const { scene, jump } = await open();
    const { carrier, connect, proxy } = scene;
    const client = connect();
    client.subscribe(CLUSTER);
    await arrives(scene, client, "1");
    jump(side, bySec);
    await arrives(scene, client, "2");
    // Two heartbeats more.
    const seen = carrier?.streams[0]?.seen.length ?? 0;
    await until({
      what: "two more messages",
      probe: () => ((carrier?.streams[0]?.seen.length ?? 0) >= seen + 2 ? true : undefined),
    });
    await arrives(scene, client, "3");
    expect(proxy.events.filter(({ event }) => event === "upstream.lost")).toEqual([]);
    expect(carrier?.streams).toHaveLength(1);
  });
});

describe("beyond it", () => {
  test.each<readonly [side: Side, bySec: number, code: string]>([
    ["beside", -HOUR_SEC, "NOT_YET_VALID"],
    ["beside", -3 * DAY_SEC, "NOT_YET_VALID"],
    ["beside", HOUR_SEC, "EXPIRED"],
    ["beside", 3 * DAY_SEC, "EXPIRED"],
    ["wrapping", -HOUR_SEC, "EXPIRED"],
    ["wrapping", HOUR_SEC, "NOT_YET_VALID"],
  ])("%s by %i s: %s until it is right again", async (side, bySec, code) => {
    const { scene, jump } = await open();
    const { origin, connect, proxy } = scene;
    const client = connect();
    client.subscribe(CLUSTER);
    await arrives(scene, client, "1");
    jump(side, bySec);
    const count = client.count;
    origin.serve(CLUSTER, [resource(CLUSTER, "a", "2")], "2");
    expect((await proxy.event("upstream.lost"))["code"]).toBe(code);
    expect(client).toMatchObject({ count, ended: undefined });
    jump(side, -bySec);
    await client.response({ from: count, timeoutMs: 40_000, fits: ({ version }) => version === "2" });
    await arrives(scene, client, "3");
    expect(client.ended).toBeUndefined();
  });

  test("both by an hour back, which is all there is: the next session is good", async () => {
    const { scene, jump } = await open();
    // The roots are a day old.
    jump("both", DAY_SEC);
    const client = scene.connect();
    client.subscribe(CLUSTER);
    await arrives(scene, client, "1");
    jump("both", -HOUR_SEC);
    // The second where a heartbeat was under way meanwhile.
    expect(["EXPIRED", "NOT_YET_VALID"]).toContain((await scene.proxy.event("upstream.lost"))["code"]);
    await arrives(scene, client, "2");
    expect(client.ended).toBeUndefined();
  });
});
