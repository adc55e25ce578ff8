/** What `configure` answers: no only to what is wrong with the bytes for ever, yes to all else. */
import { beforeAll, describe, expect, test } from "vitest";
import { encodeBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import { nowSec, Owner } from "../../scenarios/owner.ts";

let owner: Owner;
let good: NamespaceBundle;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  good = await owner.bundle({ policies: [allow("/1"), allow("/2")] });
});

describe("a first configuration", () => {
  test("is in force on every thread when it is good", () => {
    const gate = new Gate([owner], { workers: 2 });
    expect(gate.bundles([good])).toBe("ACK");
    expect(gate.bypassed()).toEqual([]);
    expect(gate.enforced()).toEqual(["/1,/2", "/1,/2"]);
    expect(gate.refusals()).toEqual({});
  });

  test.each([
    ["no configuration", ""],
    ["no sets", '{"wpgate":1,"sets":[]}'],
  ])("%s is accepted and answers 503", (_, configuration) => {
    const gate = new Gate([owner]);
    expect(gate.deliver({ configuration })).toBe("ACK");
    expect(gate.enforced()).toEqual(["closed"]);
    expect(gate.request("/1").details).toBe("wpgate_unverified");
    expect(gate.metric("wpgate_unverified_total")).toBe(6);
  });

  test.each([
    ["not JSON", "x"],
    ["an unknown version", '{"wpgate":2,"sets":[]}'],
    ["a version that is a text", '{"wpgate":"1","sets":[]}'],
    ["no version", '{"sets":[]}'],
    ["no list", '{"wpgate":1,"sets":{}}'],
    ["an unknown member", '{"wpgate":1,"sets":[],"more":1}'],
    ["something after the value", '{"wpgate":1,"sets":[]} '],
    ["an unknown member of a set", '{"wpgate":1,"sets":[{"roots":[],"envelopes":[],"more":""}]}'],
    ["a set without roots", '{"wpgate":1,"sets":[{"envelopes":[]}]}'],
    ["a root that is a number", '{"wpgate":1,"sets":[{"roots":[1],"envelopes":[]}]}'],
    ["a fresh that is null", '{"wpgate":1,"sets":[{"roots":[],"fresh":null,"envelopes":[]}]}'],
    ["an invalid byte", Buffer.concat([Buffer.from('{"wpgate":1,"sets":[{"roots":["'), Buffer.of(0xff)])],
  ])("%s is PAYLOAD", (_, configuration) => {
    const gate = new Gate([owner]);
    expect(gate.deliver({ configuration })).toBe("NACK");
    expect(gate.refusals()).toEqual({ PAYLOAD: 1 });
    expect(gate.logTexts()).toEqual(["wpgate: refused PAYLOAD: configuration"]);
  });

  test("more than 2 MiB are SIZE before anything is read", () => {
    const gate = new Gate([owner]);
    expect(gate.deliver({ configuration: encodeBundle([good]).padStart(2 * 1024 * 1024 + 1) })).toBe("NACK");
    expect(gate.refusals()).toEqual({ SIZE: 1 });
    expect(gate.deliver({ configuration: encodeBundle([good]).padStart(2 * 1024 * 1024) })).toBe("ACK");
  });

  test.each<[string, string, (bundle: NamespaceBundle) => readonly NamespaceBundle[]]>([
    ["without a policy", "OMITTED", (b) => [{ ...b, envelopes: b.envelopes.slice(1) }]],
    ["with a policy twice", "MIXED", (b) => [{ ...b, envelopes: [...b.envelopes, b.envelopes[0]!] }]],
    ["with the same set twice", "MIXED", (b) => [b, b]],
    ["with a flipped bit", "SIGNATURE", (b) => [{ ...b, envelopes: [flipLastBit(b.envelopes[0]!), b.envelopes[1]!] }]],
    ["with nothing for a root", "ROOT_INVALID", (b) => [{ ...b, roots: [] }]],
    ["with a root that is none", "ROOT_INVALID", (b) => [{ ...b, roots: [b.set!] }]],
    ["with a set that is not base64url", "PROTO", (b) => [{ ...b, set: "?" }]],
    ["with set and fresh swapped", "USE", (b) => [{ ...b, set: b.fresh!, fresh: b.set! }]],
    ["without fresh", "FRESH_STALE", ({ roots, set, envelopes }) => [{ roots, set: set!, envelopes }]],
    ["without set", "SET_MISMATCH", ({ roots, fresh, envelopes }) => [{ roots, fresh: fresh!, envelopes }]],
  ])("%s is refused and named %s", (_, code, maltreat) => {
    const gate = new Gate([owner], { workers: 2 });
    expect(gate.bundles(maltreat(good))).toBe("NACK");
    expect(gate.refusals()).toEqual({ [code]: 1 });
    expect(gate.logTexts()).toEqual([expect.stringContaining(`refused ${code}: `)]);
    expect(gate.bundles([good])).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1,/2", "/1,/2"]);
  });

  test.each([
    [
      "a policy that cannot be enforced",
      "UNSUPPORTED",
      { rules: [{ from: [{ source: { ipBlocks: ["10.0.0.0/8"] } }] }] },
    ],
    ["a policy that is none", "PAYLOAD", { rules: [{ fro: [] }] }],
  ])("%s is %s at loading too", async (_, code, spec) => {
    const gate = new Gate([owner]);
    expect(gate.bundles([await owner.bundle({ policies: [allow("/1"), { name: "bad", spec }] })])).toBe("NACK");
    expect(gate.refusals()).toEqual({ [code]: 1 });
    expect(gate.logTexts()[0]).toContain("team-a/bad spec");
  });
});

test("16384 rules fit, one more is SIZE: a worker must never run out of memory where the canary did not", async () => {
  const rules = (length: number): object => ({ action: "DENY", rules: Array.from({ length }, () => ({})) });
  const signed = async (count: number): Promise<NamespaceBundle> =>
    await owner.bundle({
      policies: [
        { name: "one", spec: rules(16_000) },
        { name: "two", spec: rules(count) },
      ],
    });
  const gate = new Gate([owner]);
  expect(gate.bundles([await signed(385)])).toBe("NACK");
  expect(gate.refusals()).toEqual({ SIZE: 1 });
  expect(gate.bundles([await signed(384)])).toBe("ACK");
  expect(gate.enforced()).toEqual([""]);
});

test.each([
  ["numbers", "0,"],
  ["lists", "[],"],
  ["objects", "{},"],
  ["sets", '{"roots":[],"envelopes":[]},'],
])("2 MiB of %s are refused without a trap", (_, item) => {
  const gate = new Gate([owner]);
  gate.bundles([good]);
  const count = Math.floor((2 * 1024 * 1024 - 100) / item.length);
  const configuration = `{"wpgate":1,"sets":[${item.repeat(count)}${item.slice(0, -1)}]}`;
  expect(gate.deliver({ configuration })).toBe("NACK");
  expect(Object.keys(gate.refusals())).toHaveLength(1);
  expect(gate.enforced()).toEqual(["/1,/2"]);
});

describe("whose set it is", () => {
  test("a namespace that is not pinned is UNPINNED", async () => {
    const other = await Owner.create({ ns: "team-b" });
    const gate = new Gate([owner]);
    expect(gate.bundles([await other.bundle({ policies: [] })])).toBe("NACK");
    expect(gate.refusals()).toEqual({ UNPINNED: 1 });
  });

  test("a pinned namespace that is not this node's is verified and not applied", async () => {
    const other = await Owner.create({ ns: "team-b" });
    const bundle = await other.bundle({ policies: [allow("/1")] });
    const gate = new Gate([owner, other]);
    expect(gate.bundles([bundle])).toBe("ACK");
    expect(gate.enforced()).toEqual(["closed"]);
    expect(gate.bundles([good, bundle])).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1,/2"]);
    expect(gate.bundles([good, { ...bundle, envelopes: [] }])).toBe("NACK");
    expect(gate.refusals()).toEqual({ OMITTED: 1 });
  });

  test("the root namespace's policies are evaluated together with the namespace's, and both must be there", async () => {
    const mesh = await Owner.create({ ns: "istio-system" });
    const spec = { action: "DENY", rules: [{ to: [{ operation: { paths: ["/2"] } }] }] };
    const meshBundle = await mesh.bundle({ policies: [{ name: "deny", spec }] });
    const gate = new Gate([owner, mesh]);
    expect(gate.bundles([good])).toBe("ACK");
    expect(gate.enforced()).toEqual(["closed"]);
    expect(gate.bundles([meshBundle])).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1"]);
  });

  test("a pin that names a root namespace without its root asks for the namespace's set only", () => {
    const gate = new Gate([owner]);
    expect(gate.bundles([good])).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1,/2"]);
  });

  test("a node whose namespace nobody pinned gets nothing", () => {
    const gate = new Gate([owner], { node: { NAMESPACE: "team-c" } });
    expect(gate.bundles([good])).toBe("ACK");
    expect(gate.enforced()).toEqual(["closed"]);
  });

  test("a node that does not say its namespace gets nothing", () => {
    const gate = new Gate([owner], { node: {} });
    expect(gate.bundles([good])).toBe("ACK");
    expect(gate.enforced()).toEqual(["closed"]);
  });

  test("selectors match the node's labels", async () => {
    const labelled = (path: string, app: string): ReturnType<typeof allow> =>
      allow(path, { spec: { ...allow(path).spec, selector: { matchLabels: { app } } } });
    const bundle = await owner.bundle({ policies: [labelled("/1", "shop"), labelled("/2", "other")] });
    for (const [node, enforced] of [
      [{ NAMESPACE: "team-a", LABELS: { app: "shop", version: "v1" } }, "/1"],
      [{ NAMESPACE: "team-a", LABELS: { app: "other" } }, "/2"],
      [{ NAMESPACE: "team-a" }, ""],
    ] as const) {
      const gate = new Gate([owner], { node });
      expect(gate.bundles([bundle])).toBe("ACK");
      expect(gate.enforced()).toEqual([enforced]);
    }
  });
});

test("what depends on the clock is accepted, counted and not applied", async () => {
  const gate = new Gate([owner], { workers: 2 });
  const iatSec = nowSec() - 7_200;
  expect(gate.bundles([await owner.bundle({ policies: [allow("/1")], iatSec, freshExpSec: iatSec + 60 })])).toBe("ACK");
  expect(gate.enforced()).toEqual(["closed", "closed"]);
  expect(gate.refusals()).toEqual({ FRESH_STALE: 4 });
});

function flipLastBit(text: string): string {
  const bytes = Buffer.from(text, "base64url");
  bytes[bytes.length - 1]! ^= 1;
  return bytes.toString("base64url");
}
