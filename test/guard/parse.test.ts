/** A Guard is read strictly: what is not understood is refused with its path, and never half of it. */
import { describe, expect, test } from "vitest";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { appliesTo, parseGuard } from "../../xds-proxy/src/guard/check.ts";
import { MODULE_SHA256 } from "./captures.ts";
import { guardObject, guardOf, type Json, type Spec } from "./guards.ts";

function faultsOf(object: unknown): readonly string[] {
  const { guard, faults } = parseGuard(utf8(typeof object === "string" ? object : JSON.stringify(object)));
  expect(guard === undefined).toBe(faults.length > 0);
  return faults.map(({ code, where }) => `${code} ${where}`);
}

const withSpec = (spec: Spec): Json => guardObject("team-a", spec);
const FILTER = { sha256: [MODULE_SHA256] };

test("what is left out has the strict meaning", () => {
  const { guard } = parseGuard(
    utf8(JSON.stringify({ ...guardObject("team-a"), spec: { ports: [{ port: 80 }], filter: FILTER } })),
  );
  expect(guard).toEqual({
    ...{ namespace: "team-a", name: "shop", selector: new Map(), belt: true, code: [], jwt: [], http: {} },
    ports: [{ port: 80, tcp: "refuse", tls: "none", clientCa: ["ROOTCA"] }],
    routes: { rds: "refuse", rewrite: "refuse" },
    filter: {
      extension: "extensions.istio.io/trafficextension/team-a.wpgate~istio-translated-wasmplugin",
      ...{ rootId: "", sha256: [MODULE_SHA256], environment: { hostKeys: [], values: new Map() } },
      failurePolicy: ["FAIL_RELOAD", "FAIL_CLOSED"],
    },
  });
});

describe("faults", () => {
  test.each<readonly [string, unknown]>([
    ["PAYLOAD ", "no JSON"],
    ["PAYLOAD ", "[]"],
    ["PAYLOAD apiVersion", { ...guardObject("a"), apiVersion: "wpgate.dev/v2" }],
    ["PAYLOAD kind", { ...guardObject("a"), kind: "Other" }],
    ["PAYLOAD metadata.name", { ...guardObject("a"), metadata: { namespace: "a" } }],
    ["PAYLOAD metadata.labels.x", { ...guardObject("a"), metadata: { name: "a", namespace: "a", labels: { x: 1 } } }],
    ["UNSUPPORTED metadata.uid", { ...guardObject("a"), metadata: { name: "a", namespace: "a", uid: "1" } }],
    ["UNSUPPORTED status", { ...guardObject("a"), status: {} }],
    ["PAYLOAD spec", { ...guardObject("a"), spec: [] }],
    ["UNSUPPORTED spec.other", withSpec({ other: 1 })],
    ["UNSUPPORTED spec.selector.matchExpressions", withSpec({ selector: { matchExpressions: [] } })],
    ["PAYLOAD spec.selector.matchLabels.app", withSpec({ selector: { matchLabels: { app: 1 } } })],
    ["PAYLOAD spec.ports", withSpec({ ports: [] })],
    ["PAYLOAD spec.ports[0].port", withSpec({ ports: [{ port: 65_536 }] })],
    ["PAYLOAD spec.ports[0].port", withSpec({ ports: [{}] })],
    ["PAYLOAD spec.ports[1].port", withSpec({ ports: [{ port: 1 }, { port: 1 }] })],
    ["PAYLOAD spec.ports[0].tcp", withSpec({ ports: [{ port: 1, tcp: "maybe" }] })],
    ["PAYLOAD spec.ports[0].tls", withSpec({ ports: [{ port: 1, tls: true }] })],
    ["UNSUPPORTED spec.ports[0].name", withSpec({ ports: [{ port: 1, name: "http" }] })],
    ["PAYLOAD spec.filter.sha256", withSpec({ filter: {} })],
    ["PAYLOAD spec.filter.sha256[0]", withSpec({ filter: { sha256: ["A".repeat(64)] } })],
    ["PAYLOAD spec.filter.failurePolicy[0]", withSpec({ filter: { ...FILTER, failurePolicy: ["FAIL_OPEN"] } })],
    ["UNSUPPORTED spec.filter.environment.keys", withSpec({ filter: { ...FILTER, environment: { keys: [] } } })],
    [
      "PAYLOAD spec.filter.environment.values.A",
      withSpec({ filter: { ...FILTER, environment: { values: { A: 1 } } } }),
    ],
    ["PAYLOAD spec.belt", withSpec({ belt: 1 })],
    ["PAYLOAD spec.code[0].name", withSpec({ code: [{ sha256: [MODULE_SHA256] }] })],
    ["PAYLOAD spec.code[0].sha256", withSpec({ code: [{ name: "lua" }] })],
    ["PAYLOAD spec.jwt[0]", withSpec({ jwt: [{ issuer: "a" }] })],
    ["PAYLOAD spec.jwt[0].issuer", withSpec({ jwt: [{ jwksUri: ["https://a"] }] })],
    ["UNSUPPORTED spec.http.other", withSpec({ http: { other: true } })],
    ["PAYLOAD spec.http.normalizePath", withSpec({ http: { normalizePath: "true" } })],
    ["PAYLOAD spec.http.xffNumTrustedHops", withSpec({ http: { xffNumTrustedHops: -1 } })],
    ["PAYLOAD spec.http.pathWithEscapedSlashesAction", withSpec({ http: { pathWithEscapedSlashesAction: "NO" } })],
    ["PAYLOAD spec.routes.rds", withSpec({ routes: { rds: true } })],
  ])("%s", (expected, object) => {
    expect(faultsOf(object)).toContain(expected);
  });

  test("are all reported", () => {
    expect(faultsOf(withSpec({ ports: [{ port: 0 }], belt: 1, more: 1 }))).toEqual([
      "UNSUPPORTED spec.more",
      "PAYLOAD spec.ports[0].port",
      "PAYLOAD spec.belt",
    ]);
  });
});

test("a Guard is for the workloads that have all labels of its selector", () => {
  const guard = guardOf("a", { selector: { matchLabels: { app: "shop", tier: "front" } } });
  expect(appliesTo(guard, { app: "shop", tier: "front", more: "x" })).toBe(true);
  expect(appliesTo(guard, { app: "shop" })).toBe(false);
  expect(appliesTo(guardOf("a", { selector: { matchLabels: { toString: "x" } } }), {})).toBe(false);
  expect(appliesTo(guardOf("a", { selector: {} }), {})).toBe(true);
});
