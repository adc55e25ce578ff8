/** The admin server: what it says, to whom, and that it never says it as somebody else wants. */
import { get } from "node:http";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import type { TcpAddress } from "../../xds-proxy/src/config/addresses.ts";
import { ConfigError } from "../../xds-proxy/src/errors.ts";
import { startAdminServer, type AdminServer } from "../../xds-proxy/src/proxy/admin-server.ts";
import { ProxyMetrics } from "../../xds-proxy/src/proxy/metrics.ts";
import { CLUSTER, LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { NODE, NOW_MS, proxyView, RESOURCES, STREAM, type Changes } from "./view.ts";

const open: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const LOOPBACK: TcpAddress = { kind: "tcp", host: "127.0.0.1", port: 0 };

async function start(
  changes: Changes = {},
  address: TcpAddress = LOOPBACK,
): Promise<{ url: string; metrics: ProxyMetrics }> {
  const [metrics, view] = [new ProxyMetrics(), proxyView(changes)];
  metrics.watch(view, () => NOW_MS);
  const server = await startAdminServer({ address, view, metrics, nowMs: () => NOW_MS });
  open.push(server);
  return { url: server.url, metrics };
}

async function ask(
  url: string,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: string; type: string }> {
  const response = await fetch(new URL(path, url), init);
  return { status: response.status, body: await response.text(), type: response.headers.get("content-type") ?? "" };
}

test("probes", async () => {
  const { url } = await start();
  expect(await ask(url, "/healthz")).toMatchObject({ status: 200, body: "alive\n" });
  expect(await ask(url, "/readyz")).toMatchObject({ status: 200, body: "ready\n" });
  const waiting = await start({ reason: "no root of team-a is known" });
  expect(await ask(waiting.url, "/readyz")).toMatchObject({ status: 503, body: "no root of team-a is known\n" });
  expect(await ask(waiting.url, "/healthz")).toMatchObject({ status: 200 });
});

test("streams, all or of one node", async () => {
  const other = { ...STREAM, id: "2", nodeId: "other" };
  const { url } = await start({ streams: [STREAM, other] });
  const all = JSON.parse((await ask(url, "/debug/streams")).body) as { readonly streams: unknown };
  expect(all).toMatchObject({ mode: "check", nowMs: NOW_MS, readiness: { ready: true }, namespaces: [{ rootEp: 2 }] });
  expect(all.streams).toEqual([STREAM, other]);
  const one = JSON.parse((await ask(url, `/debug/streams?node=${encodeURIComponent(NODE)}`)).body) as typeof all;
  expect(one.streams).toEqual([STREAM]);
});

test("resources of a node", async () => {
  const { url } = await start();
  const answer = await ask(url, `/debug/resources/${encodeURIComponent(NODE)}`);
  expect(answer.type).toBe("application/json");
  expect(JSON.parse(answer.body)).toEqual({ node: NODE, types: RESOURCES });
  expect(await ask(url, "/debug/resources/nobody")).toMatchObject({ status: 404 });
  expect(await ask(url, "/debug/resources/%ff")).toMatchObject({ status: 404 });
});

test("metrics", async () => {
  const { url, metrics } = await start();
  metrics.response(LISTENER, "accepted");
  metrics.response("type.googleapis.com/of.an.Attacker", "refused");
  metrics.response("type.googleapis.com/of.another.Attacker", "refused");
  metrics.refusal("filter-missing");
  metrics.nack(CLUSTER);
  metrics.upstreamAttempt("connected");
  metrics.streamRefused("too many");
  metrics.bytes("from_upstream", 1000);
  metrics.bytes("from_upstream", 500);
  const { body, type } = await ask(url, "/metrics");
  expect(type).toContain("text/plain");
  const own = body.split("\n").filter((line) => line.startsWith("wpgate_proxy_"));
  expect(own.toSorted()).toEqual(
    [
      'wpgate_proxy_bytes_total{direction="from_upstream"} 1500',
      'wpgate_proxy_expires_in_seconds{namespace="team-a"} 3600',
      'wpgate_proxy_node_nacks_total{type="CDS"} 1',
      "wpgate_proxy_ready 1",
      'wpgate_proxy_refusals_total{code="filter-missing"} 1',
      'wpgate_proxy_responses_total{type="LDS",outcome="accepted"} 1',
      'wpgate_proxy_responses_total{type="other",outcome="refused"} 2',
      'wpgate_proxy_set_version{namespace="team-a"} 1893456000000',
      "wpgate_proxy_store_queue 5",
      'wpgate_proxy_streams_refused_total{reason="too many"} 1',
      'wpgate_proxy_streams{upstream="connected"} 1',
      'wpgate_proxy_streams{upstream="connecting"} 0',
      'wpgate_proxy_streams{upstream="none"} 0',
      'wpgate_proxy_streams{upstream="waiting"} 0',
      'wpgate_proxy_upstream_attempts_total{outcome="connected"} 1',
      "wpgate_proxy_upstream_silence_seconds 2",
    ].toSorted(),
  );
  expect(body).toMatch(/^nodejs_eventloop_lag_seconds /m);
  expect(body).toMatch(/^process_resident_memory_bytes /m);
});

test("a page for people, on which nobody else writes", async () => {
  const lastRefusal = { code: "PROTO", resource: "<script>", reason: 'a"b', atMs: NOW_MS };
  const hostile = {
    ...STREAM,
    nodeId: "<img src=x>\u202e",
    types: STREAM.types.map((type) => ({ ...type, lastRefusal })),
  };
  const { url } = await start({ streams: [STREAM, hostile] });
  const { body, type } = await ask(url, "/");
  expect(type).toContain("text/html");
  expect(body).toContain(`<a href="/debug/resources/${encodeURIComponent(NODE)}">${NODE}</a>`);
  expect(body).toContain("<code>virtualInbound</code>: filter_chains[0] has no wpgate filter");
  expect(body).toContain("3 accepted, 1 on the way");
  expect(body).toContain("&lt;img src=x&gt;\ufffd");
  expect(body).toContain("<code>&lt;script&gt;</code>: a&quot;b");
  expect(body).not.toMatch(/<script|<img/);
  const empty = await ask((await start({ streams: [], namespaces: [] })).url, "/");
  expect(empty.body.match(/<p class="dim">none<\/p>/g)).toHaveLength(2);
});

test("nothing else, and nothing but GET", async () => {
  const { url } = await start();
  expect(await ask(url, "/debug")).toMatchObject({ status: 404 });
  expect(await ask(url, "/readyz", { method: "POST" })).toMatchObject({ status: 405 });
  expect(await ask(url, "/readyz", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
});

/** As a browser here would, that was led to this address under a name of somebody else. */
async function askAs(url: string, path: string, host: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    get(new URL(path, url), { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

test("debug pages only for this machine, under its own name", async () => {
  const { url } = await start();
  expect(await askAs(url, "/debug/streams", "attacker.example:80")).toBe(403);
  expect(await askAs(url, "/", "attacker.example")).toBe(403);
  expect(await askAs(url, "/readyz", "attacker.example")).toBe(200);
  expect(await askAs(url, "/debug/streams", "localhost:1234")).toBe(200);
  const everywhere = await start({}, { kind: "tcp", host: "", port: 0 });
  const port = new URL(everywhere.url).port;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4");
  for (const { address } of outside) {
    expect(await askAs(`http://${address}:${port}`, "/debug/streams", `127.0.0.1:${port}`)).toBe(403);
    expect(await askAs(`http://${address}:${port}`, "/readyz", address)).toBe(200);
  }
  expect(await askAs(`http://127.0.0.1:${port}`, "/debug/streams", "127.0.0.1")).toBe(200);
});

test("an address that is taken is an error that names the setting", async () => {
  const { url } = await start();
  const port = Number(new URL(url).port);
  await expect(start({}, { ...LOOPBACK, port })).rejects.toThrow(
    new ConfigError([{ path: "admin", message: `cannot listen on 127.0.0.1:${port}` }]),
  );
});
