import { describe, expect, it } from "vitest";
import {
  type Key,
  MESH,
  type Members,
  NOW_SEC,
  NS,
  TRUST_DOMAIN,
  digestText,
  field,
  json,
  newKey,
  statement,
} from "./forge.ts";
import { cfgKey, freshKey, keyMember, pinOf, root, rootDocument, rootKey, singleCase, verify } from "./owner.ts";

const YEAR_SEC = 365 * 86_400;
const chain = (roots: readonly string[], pinned: Members = rootDocument(), changes: Members = {}): string => {
  const { result, where } = verify(singleCase("root", [], { roots, pin: pinOf(pinned), ...changes }));
  return where === undefined ? result : `${result} ${where}`;
};
const first = rootDocument();
const second = rootDocument({ ep: 2 });
const third = rootDocument({ ep: 3 });

describe("a root chain", () => {
  it("is its pinned root alone", () => {
    expect(verify(singleCase("root", []))).toEqual({ result: "ok", payloads: [] });
  });

  it("does not look at envelopes", () => {
    expect(verify(singleCase("root", ["!"])).result).toBe("ok");
  });

  it("needs a pin", () => {
    const pin = { mesh: MESH, trustDomain: TRUST_DOMAIN, roots: { "team-b": digestText(Buffer.alloc(0)) } };
    expect(chain([], first, { pin })).toBe("UNPINNED roots");
    expect(chain(["!"], first, { pin })).toBe("UNPINNED roots");
  });

  it("goes on from the pinned root and skips what is before it", () => {
    const roots = [first, second, third].map((document) => root(document));
    expect(chain(roots, first)).toBe("ok");
    expect(chain(roots, second)).toBe("ok");
    expect(chain(roots, third)).toBe("ok");
    expect(chain(roots, rootDocument({ ep: 4 }))).toBe("ROOT_INVALID roots");
    expect(chain([roots[0]!, roots[2]!], first)).toBe("ROOT_GAP roots[1]");
    expect(chain([roots[0]!, roots[0]!], first)).toBe("ROOT_GAP roots[1]");
    expect(chain([roots[0]!, roots[2]!], third)).toBe("ok");
    expect(chain([])).toBe("ROOT_INVALID roots");
  });

  it("looks at a skipped root's envelope and at nothing else of it", () => {
    const odd = statement({ use: "cfg", data: Buffer.from("?"), claims: { x: 1 }, signers: [newKey()] });
    expect(chain([odd, root()])).toBe("ok");
    expect(chain(["!", root()])).toBe("PROTO roots[0]");
    expect(chain([field(3, json(first)).toString("base64url"), root()])).toBe("ROOT_INVALID roots[0]");
  });

  it("calls only text that is not base64url PROTO", () => {
    expect(chain(["!"])).toBe("PROTO roots[0]");
    expect(chain(["AAAA"])).toBe("ROOT_INVALID roots[0]");
    expect(chain([root(), "A"])).toBe("PROTO roots[1]");
  });

  it.each<[string, Members, Members]>([
    ["another namespace", { ns: "team-b" }, {}],
    ["another mesh", { mesh: "other" }, {}],
    ["another trust domain", { trustDomain: "example.org" }, {}],
    ["a claim of another namespace", {}, { ns: "team-b" }],
    ["another audience", {}, { aud: "x" }],
    ["another domain", {}, { dom: "x" }],
    ["another use", {}, { use: "cfg" }],
    ["another epoch in the claims", {}, { ep: 2 }],
    ["another digest", {}, { cd: digestText(Buffer.alloc(0)) }],
    ["another length", {}, { len: 1 }],
    ["a version", {}, { ver: "1" }],
  ])("refuses a pinned root with %s", (_, members, claims) => {
    const document = rootDocument(members);
    expect(chain([root(document, claims)], document)).toBe("ROOT_INVALID roots[0]");
  });

  it("refuses a root that is content-encoded", () => {
    const claims = { ep: 1, exp: NOW_SEC + 100 };
    const text = statement({ use: "root", data: json(first), claims, signers: [rootKey], contentEncoding: 1 });
    expect(chain([text])).toBe("ROOT_INVALID roots[0]");
  });

  it.each<[string, Members, string]>([
    ["lives too long", { iat: NOW_SEC, exp: NOW_SEC + 400 * 86_400 + 1 }, "TTL_TOO_LONG"],
    ["lives as long as it may", { iat: NOW_SEC, exp: NOW_SEC + 400 * 86_400 }, "ok"],
    ["is from the future", { iat: NOW_SEC + 61 }, "NOT_YET_VALID"],
    ["is from the near future", { iat: NOW_SEC + 60 }, "ok"],
    ["has expired", { iat: NOW_SEC - YEAR_SEC, exp: NOW_SEC - 60 }, "EXPIRED"],
    ["has just expired", { iat: NOW_SEC - YEAR_SEC, exp: NOW_SEC - 59 }, "ok"],
    ["is from the future for too long", { iat: NOW_SEC + 61, exp: NOW_SEC + 2 * YEAR_SEC }, "NOT_YET_VALID"],
    ["has expired after too long", { iat: NOW_SEC - 2 * YEAR_SEC, exp: NOW_SEC - 60 }, "EXPIRED"],
  ])("whose last root %s", (_, claims, result) => {
    const suffix = (index: number): string => (result === "ok" ? "ok" : `${result} roots[${String(index)}]`);
    expect(chain([root(first, claims)])).toBe(suffix(0));
    expect(chain([root(first), root(second, claims)])).toBe(suffix(1));
  });

  it.each<[string, Members, string]>([
    ["lives too long", { iat: NOW_SEC, exp: NOW_SEC + 400 * 86_400 + 1 }, "ROOT_INVALID roots[0]"],
    ["is from the future", { iat: NOW_SEC + 61 }, "ROOT_INVALID roots[0]"],
    ["has expired", { iat: NOW_SEC - YEAR_SEC, exp: NOW_SEC - 60 }, "ok"],
  ])("whose earlier root %s", (_, claims, result) => {
    expect(chain([root(first, claims), root(second)])).toBe(result);
  });

  it("asks for the times before the claims that bind the body", () => {
    expect(chain([root(first, { len: 1, iat: NOW_SEC + 61 })])).toBe("NOT_YET_VALID roots[0]");
    expect(chain([root(first, { aud: "x", iat: NOW_SEC + 61 })])).toBe("ROOT_INVALID roots[0]");
  });

  it.each([
    [1, "ok"],
    [2, "ROOT_INVALID roots[1]"],
    [3, "ok"],
  ])("leaves minEp 1 or raises it to its own epoch 3, not to %i", (minEp, result) => {
    const older = rootDocument({ ep: 2, minEp: 1 });
    expect(chain([root(older), root(rootDocument({ ep: 3, minEp }))], older)).toBe(result);
  });

  it("never lowers minEp", () => {
    const older = rootDocument({ ep: 2, minEp: 2 });
    expect(chain([root(older), root(rootDocument({ ep: 3, minEp: 1 }))], older)).toBe("ROOT_INVALID roots[1]");
  });
});

describe("the signers of a root", () => {
  const [alice, bob, carol, dave] = [newKey(), newKey(), newKey(), newKey()];
  const document = (ep: number, keys: readonly Key[], threshold: number): Members =>
    rootDocument({
      ep,
      keys: [...keys.map((key) => keyMember(key, "root")), keyMember(cfgKey, "cfg"), keyMember(freshKey, "fresh")],
      thresholds: { root: threshold, cfg: 1, fresh: 1, push: 1 },
    });
  const one = document(5, [alice, bob], 2);
  const two = document(6, [bob, carol], 2);

  it.each<[string, Key[], string]>([
    ["its threshold", [alice, bob], "ok"],
    ["its predecessor's too, who are not looked at", [alice, dave, bob], "ok"],
    ["a cfg key, which is not looked at", [cfgKey, alice, bob], "ok"],
    ["one too few", [alice], "ROOT_INVALID roots[0]"],
    ["one too few beside strangers", [dave, carol, alice], "ROOT_INVALID roots[0]"],
    ["one twice", [alice, bob, alice], "ROOT_INVALID roots[0]"],
    ["strangers alone", [dave], "ROOT_INVALID roots[0]"],
    ["a stranger twice, who is not looked at", [dave, alice, bob, dave], "ok"],
  ])("of the pinned one: %s", (_, signers, result) => {
    expect(chain([root(one, {}, signers)], one)).toBe(result);
  });

  it.each<[string, Key[], string]>([
    ["both thresholds", [alice, bob, carol], "ok"],
    ["the old threshold alone", [alice, bob], "ROOT_INVALID roots[1]"],
    ["the new threshold alone", [bob, carol], "ROOT_INVALID roots[1]"],
    ["a stranger beside both", [alice, bob, carol, dave], "ROOT_INVALID roots[1]"],
    ["a cfg key beside both", [alice, bob, carol, cfgKey], "ROOT_INVALID roots[1]"],
    ["one twice", [alice, bob, carol, bob], "ROOT_INVALID roots[1]"],
  ])("of a successor: %s", (_, signers, result) => {
    expect(chain([root(one, {}, [alice, bob]), root(two, {}, signers)], one)).toBe(result);
  });

  it("of a pinned root do not have to sign well when they are not looked at, but have to when they are", () => {
    const spoil = (text: string, publicKey: Buffer): string => {
      const bytes = Buffer.from(text, "base64url");
      const at = bytes.indexOf(publicKey.subarray(1));
      bytes[at + 64 + 3 + 10]! ^= 1;
      return bytes.toString("base64url");
    };
    const text = root(one, {}, [alice, bob, dave]);
    expect(chain([spoil(text, dave.publicKey)], one)).toBe("ok");
    expect(chain([spoil(text, bob.publicKey)], one)).toBe("ROOT_INVALID roots[0]");
    const all = root(two, {}, [alice, bob, carol]);
    expect(chain([root(one, {}, [alice, bob]), spoil(all, alice.publicKey)], one)).toBe("ROOT_INVALID roots[1]");
  });
});

describe("a root document", () => {
  const offCurve = Buffer.concat([Buffer.of(4), Buffer.alloc(63), Buffer.of(1)]);
  const compressed = Buffer.concat([Buffer.of(2), rootKey.publicKey.subarray(1, 33)]);
  const keys = (...members: unknown[]): Members => ({
    keys: [keyMember(rootKey, "root"), keyMember(cfgKey, "cfg"), ...members],
  });
  const thresholds = (changes: Members): Members => ({
    thresholds: { root: 1, cfg: 1, fresh: 1, push: 1, ...changes },
  });

  it.each<[string, Members]>([
    ["nothing but what it needs", keys()],
    ["monitor, istio, istio, deny", { mode: "monitor", default: "istio", paths: "istio", onStale: "deny" }],
    ["several roles for a key", { keys: [keyMember(rootKey, "push", "fresh", "cfg", "root")] }],
    ["minEp at ep", { ep: 9, minEp: 9 }],
    ["a threshold for a role without keys", thresholds({ push: 8 })],
    ["maxFreshSec 60", { maxFreshSec: 60 }],
    ["maxFreshSec 400 days", { maxFreshSec: 400 * 86_400 }],
  ])("may have %s", (_, changes) => {
    const document = rootDocument(changes);
    expect(chain([root(document)], document)).toBe("ok");
  });

  it.each<[string, Members]>([
    ["another kind", { kind: "root" }],
    ["a member more", { x: 1 }],
    ["a member less", { paths: undefined }],
    ["ep 0", { ep: 0, minEp: 0 }],
    ["minEp 0", { minEp: 0 }],
    ["minEp above ep", { minEp: 2 }],
    ["ep as text", { ep: "1" }],
    ["no keys", { keys: [] }],
    ["no root key", { keys: [keyMember(cfgKey, "cfg")] }],
    ["no cfg key", { keys: [keyMember(rootKey, "root")] }],
    ["a key twice", keys(keyMember(cfgKey, "fresh"))],
    ["a key without roles", keys(keyMember(freshKey))],
    ["a role twice", keys(keyMember(freshKey, "fresh", "fresh"))],
    ["an unknown role", keys(keyMember(freshKey, "admin"))],
    ["a member more in a key", keys({ ...keyMember(freshKey, "fresh"), id: "x" })],
    ["a key off the curve", keys({ k: offCurve.toString("base64url"), roles: ["fresh"] })],
    ["a compressed key", keys({ k: compressed.toString("base64url"), roles: ["fresh"] })],
    [
      "a key with another prefix",
      keys({ k: `A${rootKey.publicKey.toString("base64url").slice(1)}`, roles: ["fresh"] }),
    ],
    ["a padded key", keys({ k: `${freshKey.publicKey.toString("base64url")}=`, roles: ["fresh"] })],
    ["threshold 0", thresholds({ root: 0 })],
    ["threshold 9 without keys", thresholds({ push: 9 })],
    ["a threshold above the keys", thresholds({ cfg: 2 })],
    ["a threshold more", thresholds({ admin: 1 })],
    ["a threshold less", thresholds({ push: undefined })],
    ["an unknown mode", { mode: "off" }],
    ["an unknown default", { default: "allow" }],
    ["unknown paths", { paths: "" }],
    ["an unknown onStale", { onStale: null }],
    ["maxFreshSec 59", { maxFreshSec: 59 }],
    ["maxFreshSec above 400 days", { maxFreshSec: 400 * 86_400 + 1 }],
  ])("may not have %s", (_, changes) => {
    const document = rootDocument(changes);
    expect(chain([root(document, { ep: 1 })], document)).toBe("ROOT_INVALID roots[0]");
  });

  const named = (names: Members): string => {
    const document = rootDocument(names);
    const { ns = NS, mesh = MESH, trustDomain = TRUST_DOMAIN } = names as Record<string, string>;
    const pin = { mesh, trustDomain, roots: { [NS]: digestText(json(document)) } };
    const aud = `https://${ns}.${mesh}.${trustDomain}`;
    return verify(singleCase("root", [], { roots: [root(document, { aud })], pin })).result;
  };
  it.each<[Members, string]>([
    [{ mesh: "a" }, "ok"],
    [{ mesh: "a".repeat(63) }, "ok"],
    [{ mesh: "0-9" }, "ok"],
    [{ mesh: "" }, "ROOT_INVALID"],
    [{ mesh: "a".repeat(64) }, "ROOT_INVALID"],
    [{ mesh: "-a" }, "ROOT_INVALID"],
    [{ mesh: "a-" }, "ROOT_INVALID"],
    [{ mesh: "A" }, "ROOT_INVALID"],
    [{ mesh: "a.b" }, "ROOT_INVALID"],
    [{ trustDomain: "local" }, "ok"],
    [{ trustDomain: "a.b.c" }, "ok"],
    [{ trustDomain: "a..c" }, "ROOT_INVALID"],
    [{ trustDomain: "a." }, "ROOT_INVALID"],
    [{ trustDomain: ".a" }, "ROOT_INVALID"],
    [{ trustDomain: "" }, "ROOT_INVALID"],
    [{ trustDomain: `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}` }, "ok"],
    [{ trustDomain: `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(62)}` }, "ROOT_INVALID"],
  ])("names %j", (names, result) => {
    expect(named(names)).toBe(result);
  });
});
