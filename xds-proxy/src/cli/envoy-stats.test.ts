import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { readEnvoyStats } from "./envoy-stats.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An admin interface that answers these paths. */
async function admin(answers: Readonly<Record<string, unknown>>): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ""];
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const INFO = { node: { id: "sidecar~1", metadata: { NAMESPACE: "team-a", LABELS: { app: "shop" } } } };
const STATS = "/stats?format=json&filter=wpgate_%7C%5Eextension_config_discovery.*update_rejected%24";
const signal = new AbortController().signal;

test("gauges, counts and refusals", async () => {
  const stats = [
    { name: "wasmcustom.wpgate_namespace_root_epoch", value: 2 },
    { name: "wasmcustom.wpgate_namespace_set_version", value: 1_893_456_000_000 },
    { name: "wasmcustom.wpgate_namespace_fresh_version", value: 1_893_456_000_001 },
    { name: "wasmcustom.wpgate_namespace_expires_in_seconds", value: 60 },
    { name: "wasmcustom.wpgate_root_namespace_set_version", value: 0 },
    { name: "wasmcustom.wpgate_allowed_total", value: 3 },
    { name: "wasmcustom.wpgate_would_deny_total", value: 1 },
    { name: "wasmcustom.wpgate_refused_SET_MISMATCH_total", value: 4 },
    { name: "cluster.wpgate_foo.bar", value: 9 },
    { name: "extension_config_discovery.http_filter.team-a.wpgate.update_rejected", value: 2 },
    { name: "extension_config_discovery.http_filter.team-a.other.update_rejected", value: 0 },
    { histograms: {} },
  ];
  const address = await admin({ "/server_info": INFO, [STATS]: { stats } });
  expect(await readEnvoyStats(address, signal)).toEqual({
    node: { id: "sidecar~1", namespace: "team-a", labels: { app: "shop" } },
    namespace: { rootEpoch: 2, setVersion: 1_893_456_000_000, freshVersion: 1_893_456_000_001, expiresInSec: 60 },
    rootNamespace: { rootEpoch: 0, setVersion: 0, freshVersion: 0, expiresInSec: 0 },
    counts: { allowed: 3, would_deny: 1 },
    refused: { SET_MISMATCH: 4 },
    rejected: { "team-a.wpgate": 2 },
  });
});

test("an Envoy without the filter", async () => {
  const address = await admin({ "/server_info": INFO, [STATS]: { stats: [] } });
  const { namespace, rootNamespace } = await readEnvoyStats(address, signal);
  expect([namespace, rootNamespace]).toEqual([undefined, undefined]);
});

test.each([
  ["another server", {}, "PROTOCOL", "answers /server_info with 404"],
  ["no JSON", { "/server_info": "<html>" }, "PROTOCOL", "something else than JSON"],
])("%s", async (_, answers, code, message) => {
  const address = await admin(answers);
  await expect(readEnvoyStats(address, signal)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});

test("nobody there", async () => {
  await expect(readEnvoyStats("http://127.0.0.1:1", signal)).rejects.toMatchObject({ code: "UNAVAILABLE" });
});
