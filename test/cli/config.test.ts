/** wpgate.yaml: what is written is read back, and every fault is listed. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { formatDurationSec, parseDurationSec } from "../../xds-proxy/src/config/duration.ts";
import { parseOwnerConfig, writeOwnerConfig, type OwnerConfig } from "../../xds-proxy/src/config/schema.ts";
import { ConfigError } from "../../xds-proxy/src/errors.ts";

const CONFIG: OwnerConfig = {
  namespace: "team-a",
  mesh: "prod",
  trustDomain: "cluster.local",
  trustDomainAliases: ["old.example", "true"],
  rootNamespace: "istio-system",
  contact: "mailto:a@example.com",
  signers: {
    root: [{ kind: "exec", command: 'kms "sign"', publicKey: "keys/root.pub.pem" }],
    cfg: [
      { kind: "file", path: "keys/a: b.pem" },
      { kind: "file", path: "keys/2.pem" },
    ],
    fresh: [],
  },
  lifetimeSec: { root: 90 * 86_400, cfg: 30 * 86_400 },
};

function faultsOf(value: unknown): readonly string[] {
  try {
    parseOwnerConfig(value, "wpgate.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

test("what is written is read back", () => {
  expect(parseOwnerConfig(parse(writeOwnerConfig(CONFIG)), "x")).toEqual(CONFIG);
});

test("the result can not be changed", () => {
  const config = parseOwnerConfig(parse(writeOwnerConfig(CONFIG)), "x");
  expect(() => Object.assign(config.signers.cfg[0]!, { path: "other" })).toThrow(TypeError);
});

test("all faults at once, with their paths", () => {
  expect(
    faultsOf({
      wpgate: 2,
      namespace: "Team",
      mesh: "prod",
      trustDomain: "a..b",
      trustDomainAliases: ["a..b", "c", "c", 7],
      contact: "me",
      signers: { cfg: [7, { exec: " " }], fresh: "x", push: [] },
      lifetime: { cfg: "forever" },
      extra: 1,
    }),
  ).toEqual([
    "wpgate.yaml: extra: unknown member; known are wpgate, namespace, mesh, trustDomain, trustDomainAliases, rootNamespace, contact, signers, lifetime",
    "wpgate.yaml: wpgate: must be 1, the version of this file's format",
    "wpgate.yaml: namespace: must be a DNS label",
    "wpgate.yaml: trustDomain: must be a DNS name",
    "wpgate.yaml: trustDomainAliases: must list each name once",
    "wpgate.yaml: trustDomainAliases: must not list trustDomain itself",
    "wpgate.yaml: trustDomainAliases[0]: must be a DNS name",
    "wpgate.yaml: trustDomainAliases[3]: must be a DNS name",
    "wpgate.yaml: contact: must be a mailto: or https: address",
    "wpgate.yaml: signers.push: unknown member; known are root, cfg, fresh",
    "wpgate.yaml: signers.cfg[0]: must be a path",
    "wpgate.yaml: signers.cfg[1].exec: must be a command",
    "wpgate.yaml: signers.cfg[1].publicKey: missing; must be a path",
    "wpgate.yaml: signers.fresh: must be a list",
    "wpgate.yaml: lifetime.cfg: must be a length of time such as 90d or 24h",
  ]);
});

test("at most 16 aliases, and none without the member", () => {
  const bare = parse(writeOwnerConfig({ ...CONFIG, trustDomainAliases: [] })) as Record<string, unknown>;
  const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `td-${i}`);
  expect(parseOwnerConfig(bare, "x").trustDomainAliases).toEqual([]);
  expect(bare).not.toHaveProperty("trustDomainAliases");
  expect(faultsOf({ ...bare, trustDomainAliases: names(16) })).toEqual([]);
  expect(faultsOf({ ...bare, trustDomainAliases: names(17) })).toEqual([
    "wpgate.yaml: trustDomainAliases: must list at most 16",
  ]);
});

test.each([[null], ["text"], [[]]])("%j is no configuration", (value) => {
  expect(faultsOf(value)[0]).toBe("wpgate.yaml: (all): must be an object");
});

describe("durations", () => {
  test.each([
    ["90s", 90],
    ["15m", 900],
    ["24h", 86_400],
    ["90d", 7_776_000],
  ])("%s", (text, seconds) => {
    expect(parseDurationSec(text)).toBe(seconds);
  });

  test.each(["", "0s", "1", "1y", "-1h", "1h30m", "1.5h", " 1h", "1h\n", "12345678901d"])("not %j", (text) => {
    expect(parseDurationSec(text)).toBeUndefined();
  });

  test.each([
    [0, "0s"],
    [179, "179s"],
    [180, "3m"],
    [86_400, "24h"],
    [259_200, "3d"],
    [-7200, "-120m"],
  ])("%i is %s", (seconds, text) => {
    expect(formatDurationSec(seconds)).toBe(text);
  });
});
