/**
 * A carrier between the wrapping and the unwrapping proxy that does not only carry: whatever it does, the client keeps what it
 * has, the stream ends with a code that says why, and with an honest carrier everything goes on.
 */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLUSTER, ENDPOINTS } from "../../xds-proxy/src/xds/type-url.ts";
import { CARRIER_ATTACKS } from "./carrier-attacks.ts";
import type { AdsClient } from "./harness/ads-client.ts";
import type { ProxyTrust } from "./harness/proxy-config.ts";
import { pushTrust, resource, Scene } from "./scene.ts";

const HEARTBEAT_SEC = 1;

let trust: ProxyTrust;
let scene: Scene | undefined;

beforeAll(async () => {
  trust = await pushTrust();
});
afterEach(async () => {
  await scene?.stop();
  scene = undefined;
});

const FIRST = [resource(CLUSTER, "a", "1")];
const SECOND = [resource(CLUSTER, "a", "the second form")];

/** What a client has been given of a type, last form by name. */
function had({ responses }: AdsClient, typeUrl: string): ReadonlyMap<string, string> {
  const resources = responses.filter((one) => one.typeUrl === typeUrl).flatMap((one) => one.resources);
  return new Map(resources.map(({ name, value }) => [name, Buffer.from(value).toString("latin1")]));
}

describe.each(["sotw", "delta"] as const)("%s", (protocol) => {
  test.each(CARRIER_ATTACKS)("%s: %s, and nothing else changes", async (_, code, attack) => {
    scene = await Scene.start({ flow: "carried", protocol, trust, place: { heartbeatSec: HEARTBEAT_SEC } });
    const { origin, carrier, proxy, connect } = scene;
    if (carrier === undefined) throw new Error("no carrier");
    origin.serve(CLUSTER, FIRST, "1");
    origin.serve(ENDPOINTS, [resource(ENDPOINTS, "a", "1")], "1");
    const client = connect();
    client.subscribe(CLUSTER);
    client.subscribe(ENDPOINTS, "a");
    await client.response({ from: 1 });
    const stream = await origin.stream();
    for (const nonce of ["n1", "n2"]) await stream.answer(nonce);

    const carried = await carrier.stream();
    carrier.tamper = () => [];
    const play = { trust, protocol, before: [...carried.seen], sid: carried.sid, stream: carried };
    const from = client.count;
    carrier.tamper = await attack(play);
    origin.serve(CLUSTER, SECOND, "2");
    origin.serve(ENDPOINTS, [resource(ENDPOINTS, "a", "2")], "2");
    const lost = await proxy.event("upstream.lost");
    expect(lost["code"]).toBe(code);
    expect(client.ended).toBeUndefined();

    // Honest again: the next stream is another session, and the newest state arrives.
    carrier.tamper = (message) => [message];
    await client.response({
      from,
      timeoutMs: 20_000,
      fits: ({ typeUrl, version }) => typeUrl === CLUSTER && version === "2",
    });
    await client.response({
      from,
      timeoutMs: 20_000,
      fits: ({ typeUrl, version }) => typeUrl === ENDPOINTS && version === "2",
    });
    expect(client.ended).toBeUndefined();
    const names = client.responses.flatMap(({ resources }) => resources.map(({ name }) => name));
    expect(new Set(names)).toEqual(new Set(["a"]));
    expect(had(client, CLUSTER)).toEqual(new Map([["a", Buffer.from(SECOND[0]?.value ?? []).toString("latin1")]]));
    expect(client.responses.every(({ version }) => version === "1" || version === "2")).toBe(true);
  });
});
