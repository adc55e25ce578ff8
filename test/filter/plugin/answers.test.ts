/** What a request is answered, what it leaves behind for access logs, the belt and metrics, and what it costs the host. */
import { beforeAll, describe, expect, test } from "vitest";
import { allow, Gate } from "../../host/gate.ts";
import type { RequestOptions } from "../../host/emulator.ts";
import { streamOf } from "../../host/emulator.ts";
import { shippedModule } from "../../host/shipped-module.ts";
import { Owner } from "../../scenarios/owner.ts";
import type { OwnerOptions, Policy } from "../../scenarios/owner.ts";

let plain: Owner;
beforeAll(async () => {
  plain = await Owner.create({ ns: "team-a" });
});

async function gateWith(policies: readonly Policy[], root: OwnerOptions["root"] = {}): Promise<Gate> {
  const owner = await Owner.create({ ns: "team-a", root });
  const gate = new Gate([owner]);
  expect(gate.bundles([await owner.bundle({ policies })])).toBe("ACK");
  return gate;
}

/** An ALLOW policy with one rule. */
const rule = (content: object): Policy => ({ name: "rule", spec: { action: "ALLOW", rules: [content] } });

describe("answers", () => {
  test("allowed: marked for the belt, with the rule for access logs", async () => {
    const gate = await gateWith([allow("/1")]);
    const { status, filterState } = gate.request("/1");
    expect(status).toBe(200);
    expect(Object.fromEntries(filterState)).toEqual({
      "wasm.ok": "1",
      "wasm.rule": "ns[team-a]-policy[allow-1]-rule[0]",
    });
  });

  test("denied: 403 without a word to the client, not marked", async () => {
    const gate = await gateWith([allow("/1")]);
    const { filterState, ...answer } = gate.request("/2");
    expect(answer).toEqual({ status: 403, details: "wpgate_denied", body: "" });
    expect(filterState.has("wasm.ok")).toBe(false);
    expect(gate.metric("wpgate_denied_total")).toBe(1);
  });

  test("an ambiguous path under paths strict: 400", async () => {
    const gate = await gateWith([allow("/1")]);
    for (const path of ["/1//", "/1%2f", "/x/../1", "/1;x", "/1\\"]) {
      expect(gate.request(path)).toMatchObject({ status: 400, details: "wpgate_ambiguous_path" });
    }
    expect((await gateWith([allow("/1")], { paths: "istio" })).status("/1//")).toBe(403);
  });

  test("no ALLOW policy: denied under default deny, let through under default istio", async () => {
    expect((await gateWith([])).status("/1")).toBe(403);
    const gate = await gateWith([], { default: "istio" });
    expect(gate.request("/1")).toMatchObject({ status: 200, details: "upstream" });
  });

  test("an unpinned module: 503 to everything, whatever it is given", async () => {
    const gate = new Gate([plain], {});
    expect(gate.bundles([await plain.bundle({ policies: [allow("/1")] })], { module: shippedModule() })).toBe("ACK");
    expect(gate.deliver({ configuration: "noise", module: shippedModule() })).toBe("ACK");
    gate.tick();
    expect(gate.enforced()).toEqual(["closed"]);
    expect(gate.logTexts()[0]).toBe("wpgate: this module is not pinned: every request gets 503");
  });

  test("a context that the host has not announced: 503", async () => {
    const gate = await gateWith([allow("/1")]);
    const stream = streamOf("/1");
    expect(gate.vm(0).requestWithoutContext(4_000_000_000, stream)).not.toBe(0);
    expect(stream.localResponse).toMatchObject({ status: 503, details: "wpgate_unknown_context" });
    expect(stream.filterState.size).toBe(0);
  });
});

describe("mode monitor", () => {
  test("refuses nothing and counts what it would", async () => {
    const gate = await gateWith([allow("/1")], { mode: "monitor" });
    expect(gate.request("/1").status).toBe(200);
    const { status, filterState } = gate.request("/2");
    expect(status).toBe(200);
    expect(filterState.get("wasm.rule")).toBe("no rule");
    expect(gate.status("/1//")).toBe(200);
    gate.tick();
    expect(gate.metric("wpgate_would_deny_total")).toBe(2);
    expect(gate.metric("wpgate_denied_total")).toBe(0);
    expect(gate.metric("wpgate_allowed_total")).toBe(3);
    expect(gate.logTexts()).toContain("wpgate: would deny: no rule");
  });

  test("still answers 503 while nothing is verified", async () => {
    const owner = await Owner.create({ ns: "team-a", root: { mode: "monitor" } });
    const gate = new Gate([owner]);
    gate.deliver({ configuration: "" });
    expect(gate.enforced()).toEqual(["closed"]);
  });

  test.each([
    ["monitor", "monitor", 200],
    ["monitor", "enforce", 403],
    ["enforce", "monitor", 403],
  ] as const)("namespace %s, root namespace %s", async (own, mesh, status) => {
    const owners = [
      await Owner.create({ ns: "team-a", root: { mode: own } }),
      await Owner.create({ ns: "istio-system", root: { mode: mesh } }),
    ];
    const gate = new Gate(owners);
    gate.bundles(await Promise.all(owners.map((owner) => owner.bundle({ policies: [] }))));
    expect(gate.status("/1")).toBe(status);
  });
});

describe("what rules look at", () => {
  const tls = {
    "connection.uri_san_peer_certificate": "spiffe://cluster.local/ns/team-b/sa/web",
    "connection.requested_server_name": "shop.example",
  };
  test.each<[string, object, RequestOptions, RequestOptions]>([
    [
      "principals",
      { from: [{ source: { principals: ["cluster.local/ns/team-b/sa/web"] } }] },
      { attributes: tls },
      { attributes: { "connection.uri_san_peer_certificate": "spiffe://cluster.local/ns/team-c/sa/web" } },
    ],
    ["namespaces", { from: [{ source: { namespaces: ["team-b"] } }] }, { attributes: tls }, {}],
    [
      "remote addresses",
      { from: [{ source: { remoteIpBlocks: ["192.0.2.0/24"] } }] },
      { attributes: { "source.address": "192.0.2.7:1234" } },
      { attributes: { "source.address": "192.0.3.7:1234" } },
    ],
    ["hosts", { to: [{ operation: { hosts: ["a.example"] } }] }, { host: "a.example" }, { host: "b.example" }],
    ["methods", { to: [{ operation: { methods: ["PUT"] } }] }, { method: "PUT" }, { method: "GET" }],
    [
      "ports",
      { to: [{ operation: { ports: ["8080"] } }] },
      {},
      { attributes: { "destination.address": "10.0.0.2:8081" } },
    ],
    [
      "any of a repeated header",
      { when: [{ key: "request.headers[x-team]", values: ["blue"] }] },
      {
        headers: [
          ["x-team", "red"],
          ["x-team", "blue"],
        ],
      },
      { headers: [["x-team", "red"]] },
    ],
    [
      "the server name",
      { when: [{ key: "connection.sni", values: ["shop.example"] }] },
      { attributes: tls },
      { attributes: { "connection.requested_server_name": "other.example" } },
    ],
  ])("%s", async (_, content, allowed, denied) => {
    const gate = await gateWith([rule(content)]);
    expect(gate.status("/1", allowed)).toBe(200);
    expect(gate.status("/1", denied)).toBe(403);
  });

  test("only what the loaded rules need is asked of the host, once", async () => {
    const policies = [allow("/1"), allow("/2"), { ...allow("/3"), name: "other" }];
    const gate = await gateWith(policies);
    const { calls } = gate.vm(0);
    calls.length = 0;
    gate.request("/3");
    expect(calls.filter((name) => name.startsWith("proxy_get"))).toEqual(["proxy_get_header_map_pairs"]);
    const everyone = await gateWith([rule({ from: [{ source: { namespaces: ["team-b"] } }] })]);
    everyone.vm(0).calls.length = 0;
    everyone.request("/1", { attributes: tls });
    expect(everyone.vm(0).calls.filter((name) => name.startsWith("proxy_get"))).toEqual(["proxy_get_property"]);
  });
});

describe("metrics and log", () => {
  test("gauges show what is in force", async () => {
    const owner = await (await Owner.create({ ns: "team-a" })).rotate();
    const gate = new Gate([owner]);
    gate.bundles([await owner.bundle({ ver: "18446744073709551615", freshVer: "7", policies: [] })]);
    gate.tick();
    expect(gate.process.metrics.get("wpgate_namespace_root_epoch")).toBe(2n);
    expect(gate.process.metrics.get("wpgate_namespace_set_version")).toBe(18446744073709551615n);
    expect(gate.process.metrics.get("wpgate_namespace_fresh_version")).toBe(7n);
    expect(gate.metric("wpgate_namespace_expires_in_seconds")).toBeGreaterThan(3_500);
  });

  test("a flood of refusals leaves a bounded number of lines, and says how many are missing", async () => {
    const gate = await gateWith([allow("/1")]);
    for (let i = 0; i < 1_000; i++) gate.request("/2");
    expect(gate.logTexts().length).toBeLessThanOrEqual(20);
    expect(gate.metric("wpgate_denied_total")).toBe(1_000);
    gate.process.nowMs += 5_000;
    gate.request("/2");
    expect(gate.logTexts().at(-1)).toMatch(/^wpgate: denied: no rule \(9[89]\d lines left out before\)$/);
  });

  test("no line and no metric holds a header, a path or a key", async () => {
    const gate = await gateWith([allow("/1")]);
    gate.request("/top-secret", { headers: [["authorization", "Bearer top-secret"]] });
    expect(JSON.stringify([gate.process.log, [...gate.process.metrics.keys()]])).not.toContain("secret");
  });
});
