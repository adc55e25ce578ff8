/** Fresh statements beside `sets`: which one counts, and that command line and filter choose the same. */
import { beforeAll, describe, expect, test } from "vitest";
import { encodeBase64Url, decodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { SigningKey } from "../../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { decodeWebpushMessage, encodeWebpushMessage } from "../../../xds-proxy/src/envelope/format.ts";
import { parseBundle, type NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { parsePin } from "../../../xds-proxy/src/owner/pin.ts";
import { verifyBundle } from "../../../xds-proxy/src/owner/verify-bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import { nowSec, Owner, pinOf, withOuterFresh } from "../../scenarios/owner.ts";

const U64_MAX = "18446744073709551615";
const STRANGER = SigningKey.generate();

let owner: Owner;
/** Set 5, whose own fresh statement is 5. */
let bundle: NamespaceBundle;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  bundle = await owner.bundle({ ver: "5", policies: [allow("/1")] });
});

const deliver = (gate: Gate, set: NamespaceBundle, text: string): "ACK" | "NACK" =>
  gate.deliver({ configuration: withOuterFresh([set], { "team-a": text }) });

describe("the one with the larger version counts", () => {
  test("a newer one keeps a set alive whose own has run out, also in a new VM", async () => {
    const gate = new Gate([owner], { workers: 2 });
    const iatSec = nowSec() - 7_200;
    const old = await owner.bundle({ ver: "5", policies: [allow("/1")], iatSec, freshExpSec: iatSec + 60 });
    expect(gate.bundles([old])).toBe("ACK");
    expect(gate.enforced()).toEqual(["closed", "closed"]);
    expect(deliver(gate, old, await owner.confirm(old, { ver: "6" }))).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1", "/1"]);
    gate.deliver({ name: "other", configuration: "", environment: { A: "1" } });
    expect(gate.enforced("other")).toEqual(["/1", "/1"]);
  });

  test("an older one is passed over, whoever signed it", async () => {
    const gate = new Gate([owner]);
    expect(deliver(gate, bundle, await owner.confirm(bundle, { ver: "4", signer: STRANGER }))).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1"]);
    expect(gate.refusals()).toEqual({});
  });

  test("the set's own one where both have the same", async () => {
    const gate = new Gate([owner]);
    expect(deliver(gate, bundle, await owner.confirm(bundle, { ver: "5", signer: STRANGER }))).toBe("ACK");
    expect(deliver(gate, bundle, await owner.confirm(bundle, { ver: "6", signer: STRANGER }))).toBe("NACK");
    expect(gate.refusals()).toEqual({ KEY_UNKNOWN: 1 });
    expect(gate.enforced()).toEqual(["/1"]);
  });

  test("versions are numbers of 64 bits", async () => {
    const gate = new Gate([owner]);
    const last = await owner.bundle({ ver: "5", freshVer: U64_MAX, policies: [allow("/1")] });
    for (const ver of ["9", "18446744073709551614", "9223372036854775808"])
      expect(deliver(gate, last, await owner.confirm(last, { ver, signer: STRANGER }))).toBe("ACK");
    expect(deliver(gate, bundle, await owner.confirm(bundle, { ver: "10", signer: STRANGER }))).toBe("NACK");
    expect(gate.refusals()).toEqual({ KEY_UNKNOWN: 1 });
  });

  test("the outer one where the set has none", async () => {
    const gate = new Gate([owner]);
    expect(deliver(gate, withFresh(bundle, undefined), await owner.confirm(bundle, { ver: "1" }))).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1"]);
  });

  test("a new set with a newer one of its own is taken in one delivery", async () => {
    const gate = new Gate([owner]);
    const outer = await owner.confirm(bundle, { ver: "6" });
    expect(deliver(gate, bundle, outer)).toBe("ACK");
    const next = await owner.bundle({ ver: "7", policies: [allow("/2")] });
    expect(deliver(gate, next, outer)).toBe("ACK");
    expect(gate.enforced()).toEqual(["/2"]);
    const late = await owner.bundle({ ver: "8", freshVer: "6", policies: [allow("/3")] });
    expect(deliver(gate, late, await owner.confirm(next, { ver: "9" }))).toBe("NACK");
    expect(gate.refusals()).toEqual({ SET_MISMATCH: 1 });
  });
});

describe("garbage", () => {
  test.each([
    ["beside the set", (good: NamespaceBundle): [NamespaceBundle, string] => [good, "?"]],
    ["in the set", (good: NamespaceBundle): [NamespaceBundle, string] => [{ ...good, fresh: "?" }, good.fresh!]],
  ])("%s refuses the delivery, and the last good state stays", (_, maltreat) => {
    const gate = new Gate([owner], { workers: 2 });
    gate.bundles([bundle]);
    expect(deliver(gate, ...maltreat(bundle))).toBe("NACK");
    expect(gate.refusals()).toEqual({ PROTO: 1 });
    expect(gate.logTexts()).toEqual(["wpgate: refused PROTO: sets[0] fresh"]);
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("for namespaces without a set is not looked at", () => {
    const gate = new Gate([owner]);
    const configuration = withOuterFresh([bundle], { "istio-system": "?", "team-b": "" });
    expect(gate.deliver({ configuration })).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1"]);
  });

  test.each<[string, unknown]>([
    ["a list", []],
    ["null", null],
    ["a text", "x"],
    ["a number for a text", { "team-a": 1 }],
    ["a name that is no namespace", { Team: "x" }],
    ["17 members", Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`ns-${i}`, ""]))],
  ])("%s is no configuration, for filter and command line", (_, fresh) => {
    const gate = new Gate([owner]);
    const configuration = withOuterFresh([bundle], fresh);
    expect(gate.deliver({ configuration })).toBe("NACK");
    expect(gate.logTexts()).toEqual(["wpgate: refused PAYLOAD: configuration"]);
    expect(() => parseBundle(configuration, "x")).toThrow(/x: fresh/);
  });

  test.each([["null"], ["absent"]])(
    "envelopes that are %s are no configuration, for filter and command line",
    (what) => {
      const gate = new Gate([owner]);
      const { envelopes, ...rest } = bundle;
      expect(envelopes).not.toEqual([]);
      const set = what === "null" ? { ...rest, envelopes: null } : rest;
      const configuration = JSON.stringify({ wpgate: 1, sets: [set] });
      expect(gate.deliver({ configuration })).toBe("NACK");
      expect(gate.refusals()).toEqual({ PAYLOAD: 1 });
      expect(() => parseBundle(configuration, "x")).toThrow(/x: sets\[0\].envelopes/);
    },
  );

  test("16 members are one, a namespace twice is none", () => {
    const gate = new Gate([owner]);
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`ns-${i}`, ""]));
    expect(gate.deliver({ configuration: withOuterFresh([bundle], many) })).toBe("ACK");
    const twice = withOuterFresh([bundle], { "team-b": "" }).replace('"team-b":""', '"team-b":"","team-b":""');
    expect(gate.deliver({ configuration: twice })).toBe("NACK");
    expect(gate.refusals()).toEqual({ PAYLOAD: 1 });
  });
});

test("what is remembered has the one that counts", async () => {
  const gate = new Gate([owner]);
  const outer = await owner.confirm(bundle, { ver: "6" });
  deliver(gate, bundle, outer);
  const [, body] = [...gate.process.sharedData("").entries].find(([key]) => key.endsWith("/state"))!;
  expect(JSON.parse(Buffer.from(body.value).toString())).toEqual({ ...bundle, fresh: outer });
});

test("command line and filter choose the same of every two, and call what is wrong with it the same", async () => {
  const other = await Owner.create({ ns: "team-b" });
  const otherSet = await owner.bundle({ ver: "6", policies: [] });
  const past = { iatSec: nowSec() - 7_200, expSec: nowSec() - 3_600 };
  const readable = await Promise.all([
    owner.confirm(bundle, { ver: "5" }),
    owner.confirm(bundle, { ver: "6" }),
    owner.confirm(bundle, { ver: U64_MAX }),
    owner.confirm(bundle, { ver: "7", ...past }),
    owner.confirm(bundle, { ver: "7", signer: owner.keys.root }),
    owner.confirm(bundle, { ver: "8", signer: STRANGER }),
    owner.confirm(otherSet, { ver: "8" }),
    other.confirm(bundle, { ver: "8" }),
  ]);
  const texts = [
    ...readable,
    bundle.set!,
    "",
    "?",
    "AAAA",
    withClaims(readable[1], () => "{}"),
    withClaims(readable[1], (claims) => claims.replace('"wpgate/1"', '"wpgate/2"')),
    withClaims(readable[1], (claims) => claims.replace('"ver":"6"', '"ver":"06"')),
    withClaims(readable[1], (claims) => claims.replace('"ver":"6"', '"ver":"9"')),
    "A".repeat(1_500_000),
  ];
  const pin = parsePin(pinOf([owner]), "pin");
  const seen = new Map<string, number>();
  for (const own of [undefined, ...texts]) {
    for (const outer of texts) {
      const configuration = withOuterFresh([withFresh(bundle, own)], { "team-a": outer });
      const [part] = parseBundle(configuration, "x").sets;
      const { result } = verifyBundle({ pin, bundle: part!, nowMs: Date.now(), states: new Map() });
      const gate = new Gate([owner]);
      const answer = gate.deliver({ configuration });
      const [refusal = "ok"] = Object.keys(gate.refusals());
      expect([refusal, answer]).toEqual([result, ["ok", "FRESH_STALE"].includes(result) ? "ACK" : "NACK"]);
      seen.set(refusal, (seen.get(refusal) ?? 0) + 1);
    }
  }
  const codes = ["ok", "FRESH_STALE", "SET_MISMATCH", "KEY_ROLE", "KEY_UNKNOWN", "AUDIENCE", "SIGNATURE"];
  expect([...seen.keys()].toSorted()).toEqual([...codes, "PROTO", "SIZE", "CLAIMS", "DOMAIN", "USE"].toSorted());
});

function withFresh({ roots, set, envelopes }: NamespaceBundle, fresh: string | undefined): NamespaceBundle {
  return { roots, set: set!, envelopes, ...(fresh !== undefined && { fresh }) };
}

/** The same envelope with other claims, and thus without a right signature. */
function withClaims(text: string, change: (claims: string) => string): string {
  const message = decodeWebpushMessage(decodeBase64Url(text));
  const data = Buffer.from(change(Buffer.from(message.sender.data).toString()));
  return encodeBase64Url(encodeWebpushMessage({ ...message, contentEncoding: 0, sender: { ...message.sender, data } }));
}
