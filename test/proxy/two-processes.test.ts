/** The wrapping and the unwrapping proxy as two programs, over TCP with certificates on both sides, and how each of them ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { StreamsAnswer, StreamView } from "../../xds-proxy/src/proxy/view.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";
import { freePort } from "../lab/free-port.ts";
import { Authority } from "../scenarios/certificates.ts";
import { AdsClient } from "./harness/ads-client.ts";
import { Origin } from "./harness/origin.ts";
import { proxyOptions } from "./harness/proxy-config.ts";
import { ProxyProcess, SHIPPED } from "./harness/proxy-process.ts";
import { NODE, pushTrust, resource } from "./scene.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function ending<T>(thing: T, end: (thing: T) => unknown): T {
  ends.push(() => end(thing));
  return thing;
}

async function upstreamOf(proxy: ProxyProcess, nodeId: string): Promise<StreamView["upstream"] | undefined> {
  const { streams } = JSON.parse((await proxy.admin("/debug/streams")).body) as StreamsAnswer;
  return streams.find((stream) => stream.nodeId === nodeId)?.upstream;
}

test.each(["sotw", "delta"] as const)("%s", async (protocol) => {
  const folder = ending(await mkdtemp(join(tmpdir(), "wpgate-two-")), (made) => rm(made, { recursive: true }));
  const trust = await pushTrust();
  const authority = await Authority.create();
  const server = await authority.issue({ ip: "127.0.0.1", dns: "localhost" });
  const node = await authority.issue({ uri: "spiffe://cluster.local/ns/team-a/sa/app" });
  const origin = ending(await Origin.start(), (o) => {
    o.stop();
  });
  const wrapAddress = `localhost:${await freePort()}`;
  const wrapOptions = proxyOptions(trust, {
    mode: "wrap",
    upstream: origin.address,
    listen: wrapAddress,
    heartbeatSec: 1,
  });
  const wrapping = ending(
    await ProxyProcess.start({
      program: SHIPPED,
      config: {
        ...wrapOptions.config,
        listen: [{ address: wrapAddress, tls: { cert: "tls.crt", key: "tls.key", clientCa: "ca.crt" } }],
        identity: { mtls: true, upstream: "none" },
      },
      files: {
        ...wrapOptions.files,
        "tls.crt": server.certificate,
        "tls.key": server.key,
        "ca.crt": authority.certificate,
      },
    }),
    (p) => p.stop(),
  );
  const address = `unix:${join(folder, "ads")}`;
  const besideOptions = proxyOptions(trust, {
    mode: "unwrap",
    upstream: wrapAddress,
    listen: address,
    heartbeatSec: 1,
  });
  const beside = ending(
    await ProxyProcess.start({
      program: SHIPPED,
      config: {
        ...besideOptions.config,
        upstream: { address: wrapAddress, tls: { ca: "ca.crt", cert: "tls.crt", key: "tls.key" } },
      },
      files: {
        ...besideOptions.files,
        "tls.crt": node.certificate,
        "tls.key": node.key,
        "ca.crt": authority.certificate,
      },
    }),
    (p) => p.stop(),
  );
  const connect = (id: string, namespace: string): AdsClient =>
    ending(AdsClient.connect({ address, protocol, node: { id, metadata: { NAMESPACE: namespace } } }), (c) => {
      c.close();
    });

  origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")], "1");
  const client = connect(NODE.id, "team-a");
  client.subscribe(CLUSTER);
  expect((await client.response()).version).toBe("1");
  const stream = await origin.stream();
  expect(await stream.answer("n1")).toMatchObject({ error: undefined });

  // Whose certificate says something else.
  const otherId = NODE.id.replaceAll("team-a", "team-b");
  const other = connect(otherId, "team-b");
  other.subscribe(CLUSTER);
  const refused = await until({
    what: "a refusal",
    probe: async () => (await upstreamOf(beside, otherId))?.reason,
  });
  expect(refused).toContain("does not allow this stream");
  expect(other.count).toBe(0);

  process.kill(wrapping.pid, "SIGTERM");
  expect(await wrapping.ended).toBe("it ended with code 0");
  await until({
    what: "the loss of the upstream",
    probe: async () => ((await upstreamOf(beside, NODE.id))?.state === "connected" ? undefined : true),
  });
  expect(client.ended).toBeUndefined();
  process.kill(beside.pid, "SIGTERM");
  expect(await beside.ended).toBe("it ended with code 0");
  await until({ what: "the end of the stream", probe: () => client.ended });
  expect(client.ended).toMatchObject({ code: 14, details: "the proxy is shutting down" });
});
