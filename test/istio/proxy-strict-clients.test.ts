/** gRPC's own xDS clients, which are stricter than Envoy: they find backends, follow changes, and say why they refuse. */
import { afterEach, describe, expect, test } from "vitest";
import { Cluster_LbPolicy } from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { CLUSTER, ENDPOINTS, LISTENER, ROUTES } from "../../xds-proxy/src/xds/type-url.ts";
import { freePort } from "../lab/free-port.ts";
import { proxyOptions, proxyTrust, type ProxyPlace } from "../proxy/harness/proxy-config.ts";
import { ProxyProcess } from "../proxy/harness/proxy-process.ts";
import { Origin } from "../proxy/harness/origin.ts";
import { Backend } from "../proxy/strict-client/backend.ts";
import { cluster, endpoints, listener, routes, SERVICE } from "../proxy/strict-client/resources.ts";
import { StrictClient, type Implementation } from "../proxy/strict-client/strict-client.ts";

const NODE = { id: "sidecar~127.0.0.1~app.team-a~team-a.svc.cluster.local", metadata: { NAMESPACE: "team-a" } };

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function backends(count: number): Promise<readonly Backend[]> {
  const started = await Promise.all(Array.from({ length: count }, async () => Backend.start()));
  for (const backend of started)
    ends.push(() => {
      backend.stop();
    });
  return started;
}

/** What stands between the client and the control plane. */
type Way = "nothing" | ProxyPlace["mode"];

interface Scene {
  readonly origin: Origin;
  readonly client: StrictClient;
}

async function scene(options: {
  readonly implementation: Implementation;
  readonly way: Way;
  readonly ports: readonly number[];
}): Promise<Scene> {
  const { implementation, way, ports } = options;
  const origin = await Origin.start();
  ends.push(() => {
    origin.stop();
  });
  origin.serve(LISTENER, [listener()]);
  origin.serve(ROUTES, [routes()]);
  origin.serve(CLUSTER, [cluster()]);
  origin.serve(ENDPOINTS, [endpoints(ports)]);
  const address = way === "nothing" ? origin.address : await through(way, origin.address);
  const client = await StrictClient.start({ implementation, address, node: NODE, service: SERVICE });
  ends.push(async () => client.stop());
  return { origin, client };
}

async function through(mode: ProxyPlace["mode"], upstream: string): Promise<string> {
  const listen = `127.0.0.1:${await freePort()}`;
  const proxy = await ProxyProcess.start(proxyOptions(await proxyTrust(), { mode, upstream, listen }));
  ends.push(async () => proxy.stop());
  return listen;
}

const WAYS: readonly Way[] = ["nothing", "check", "wrap+unwrap"];

describe.each<Implementation>(["grpc-js", "grpcio"])("%s", (implementation) => {
  test.each(WAYS)(
    "with %s in between balances over what it finds, follows a change, and keeps what it has when it refuses",
    async (way) => {
      const [a, b, c] = (await backends(3)).map(({ port }) => port) as [number, number, number];
      const { origin, client } = await scene({ implementation, way, ports: [a, b] });
      await client.balancesOver([a, b]);
      const mark = client.log.count;
      origin.serve(ENDPOINTS, [endpoints([b, c])]);
      await client.balancesOver([b, c]);
      origin.serve(CLUSTER, [cluster(Cluster_LbPolicy.MAGLEV)]);
      const stream = await origin.stream();
      const refusal = await until({
        what: "a refusal",
        probe: () => stream.requests.find(({ error }) => error !== undefined),
      });
      expect(refusal.typeUrl).toBe(CLUSTER);
      expect(refusal.error).toMatch(/lb_?policy/i);
      await client.balancesOver([b, c]);
      expect(client.errorsSince(mark)).toEqual([]);
      expect(stream.requests[0]?.nodeId).toBe(NODE.id);
    },
  );
});
