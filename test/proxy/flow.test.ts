/** Responses on their way through the proxy in each mode: what comes out, and what the origin hears of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";
import { AdsClient } from "./harness/ads-client.ts";
import { Origin } from "./harness/origin.ts";
import { proxyOptions, proxyTrust, type ProxyPlace, type ProxyTrust } from "./harness/proxy-config.ts";
import { ProxyProcess } from "./harness/proxy-process.ts";

const NODE = { id: "sidecar~127.0.0.1~app.team-a~team-a.svc.cluster.local", metadata: { NAMESPACE: "team-a" } };
const MODES = ["check", "wrap+unwrap"] as const;
const PROTOCOLS = ["sotw", "delta"] as const;

let folder = "";
let trust: ProxyTrust;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  trust = await proxyTrust();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-flow-"));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true });
});

function ending<T>(thing: T, end: (thing: T) => unknown): T {
  ends.push(() => end(thing));
  return thing;
}

function cluster(name: string, note = ""): Resource {
  return makeResource({
    ...{ name, version: note, typeUrl: CLUSTER },
    value: Buffer.concat([stringField(1, name), bytesField(28, Buffer.from(note))]),
  });
}

describe.each(MODES.flatMap((mode) => PROTOCOLS.map((protocol) => [mode, protocol] as const)))(
  "%s, %s",
  (mode, protocol) => {
    async function start(
      more: Partial<ProxyPlace> = {},
    ): Promise<{ origin: Origin; proxy: ProxyProcess; envoy: AdsClient }> {
      const origin = ending(await Origin.start(), (o) => {
        o.stop();
      });
      const socket = join(folder, "ads");
      const place = { mode, upstream: origin.address, listen: `unix:${socket}`, state: join(folder, "state"), ...more };
      const proxy = ending(await ProxyProcess.start(proxyOptions(trust, place)), (p) => p.stop());
      const envoy = ending(AdsClient.connect({ address: `unix:${socket}`, protocol, node: NODE }), (c) => {
        c.close();
      });
      return { origin, proxy, envoy };
    }

    test("what the origin serves arrives as it is, and the origin hears the ACK", async () => {
      const { origin, envoy } = await start();
      origin.serve(CLUSTER, [cluster("a", "1"), cluster("b", "1")], "7");
      envoy.subscribe(CLUSTER);
      const response = await envoy.response();
      expect(response.resources.map(({ name, value }) => [name, value])).toEqual([
        ["a", cluster("a", "1").value],
        ["b", cluster("b", "1").value],
      ]);
      expect(response.version).toBe("7");
      const stream = await origin.stream();
      const nonce = (await stream.subscription(CLUSTER)).nonce;
      expect(nonce).toBe("");
    });
  },
);
