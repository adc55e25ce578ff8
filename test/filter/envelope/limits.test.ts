// Every limit of proto/limits.json that concerns envelopes: at the limit, and one past it.
import { describe, expect, it } from "vitest";
import {
  CFG_TYPE,
  type Key,
  type Members,
  NOW_SEC,
  NS,
  claimsOf,
  cosigner,
  digestText,
  envelope,
  field,
  json,
  newKey,
  signature,
  statement,
} from "./forge.ts";
import {
  cfgKey,
  freshKey,
  keyMember,
  namespaceCase,
  pinOf,
  plain,
  policy,
  recipient,
  recipientMember,
  root,
  rootDocument,
  rootKey,
  sealed,
  setAndFresh,
  singleCase,
  verify,
} from "./owner.ts";

const MIB = 1 << 20;
const DAY_SEC = 86_400;
const own: Members = { rt: CFG_TYPE, name: `${NS}/a`, ver: "1" };
const check = (text: string, changes: Members = {}): string => verify(singleCase("cfg", [text], changes)).result;
const token = (key: Key, claims: Buffer): Buffer =>
  Buffer.concat([field(4, key.publicKey.subarray(1)), field(7, claims), field(33, signature(key, claims))]);

/** A policy of exactly this many bytes. */
function policyOf(lengthBytes: number): Buffer {
  const empty = policy("a", { text: "" }).length;
  return policy("a", { text: "x".repeat(lengthBytes - empty) });
}

describe("sizes", () => {
  it("of data: 1 MiB", () => {
    const carry = (lengthBytes: number): string =>
      check(statement({ use: "cfg", data: policyOf(lengthBytes), claims: own, signers: [cfgKey] }));
    expect(carry(MIB)).toBe("ok");
    expect(carry(MIB + 1)).toBe("SIZE");
  });

  it("of an envelope: 1 MiB + 64 KiB", () => {
    const claims = json(claimsOf({ use: "cfg", data: policy("a"), claims: own }));
    const needed = Buffer.concat([field(3, policy("a")), field(4, token(cfgKey, claims))]);
    const filled = (lengthBytes: number): string => {
      const filler = lengthBytes - needed.length - 4;
      const text = Buffer.concat([needed, field(1, Buffer.alloc(filler, 0x78))]);
      expect(text.length).toBe(lengthBytes);
      return check(text.toString("base64url"));
    };
    expect(filled(MIB + 65_536)).toBe("ok");
    expect(filled(MIB + 65_537)).toBe("SIZE");
  });

  it("of an envelope, measured before the text is decoded", () => {
    const length = Math.ceil(((MIB + 65_536) * 4) / 3);
    expect(check("!".repeat(length))).toBe("PROTO");
    expect(check("!".repeat(length + 2))).toBe("SIZE");
  });

  it("of data of a push: 64 MiB, of its envelope 64 KiB more", () => {
    const parts = rootDocument({ keys: [keyMember(rootKey, "root"), keyMember(cfgKey, "cfg", "push")] });
    const push = { rt: "type", name: "node", sid: "", seq: "1" };
    const text = statement({ use: "push", data: Buffer.alloc(2 * MIB), claims: push, signers: [cfgKey] });
    const changes = { pin: pinOf(parts), roots: [root(parts)] };
    expect(verify(singleCase("push", [text], changes)).result).toBe("ok");
    expect(verify(singleCase("cfg", [text], changes)).result).toBe("SIZE");
    expect(verify(singleCase("push", ["A".repeat(Math.ceil(((64 * MIB + 65_536) * 4) / 3) + 2)])).result).toBe("SIZE");
  });

  it("of claims: 4 KiB", () => {
    const carry = (lengthBytes: number): string => {
      const base = claimsOf({ use: "cfg", data: policy("a"), claims: own });
      const sub = "mailto:".padEnd(lengthBytes - json({ ...base, sub: "" }).length, "x");
      const claims = json({ ...base, sub });
      expect(claims.length).toBe(lengthBytes);
      return check(envelope({ data: policy("a"), claims, signers: [cfgKey] }));
    };
    expect(carry(4096)).toBe("ok");
    expect(carry(4097)).toBe("SIZE");
  });

  it("of a sealed record: rs above its length, at most 1 MiB", () => {
    const open = (rs: number): string => check(sealed("a", recipient, { rs }).text, { recipient: recipientMember });
    const recordLength = policy("a").length + 1 + 16;
    const line = JSON.stringify({
      aud: claimsOf({ use: "", data: Buffer.alloc(0) })["aud"],
      rt: CFG_TYPE,
      name: `${NS}/a`,
      ver: "1",
      kid: "x".repeat(22),
    });
    expect(open(recordLength + line.length + 1)).toBe("DECRYPT");
    expect(open(recordLength + line.length + 2)).toBe("ok");
    expect(open(MIB)).toBe("ok");
    expect(open(MIB + 1)).toBe("DECRYPT");
    expect(open(0xffffffff)).toBe("DECRYPT");
  });
});

describe("counts", () => {
  it("of cosigners: 16", () => {
    const cosigners = Array.from({ length: 17 }, newKey);
    const document = rootDocument({
      keys: [keyMember(rootKey, "root"), ...[cfgKey, ...cosigners].map((key) => keyMember(key, "cfg"))],
    });
    const signedBy = (count: number): string =>
      check(
        statement({ use: "cfg", data: policy("a"), claims: own, signers: [cfgKey, ...cosigners.slice(0, count)] }),
        {
          pin: pinOf(document),
          roots: [root(document)],
        },
      );
    expect(signedBy(16)).toBe("ok");
    expect(signedBy(17)).toBe("SIZE");
  });

  it("of cosigners, after the form of all of them", () => {
    const claims = json(claimsOf({ use: "cfg", data: policy("a"), claims: own }));
    const fields = [field(3, policy("a")), field(4, token(cfgKey, claims))];
    for (let i = 0; i < 17; i++) fields.push(cosigner(cfgKey, claims));
    expect(check(Buffer.concat(fields).toString("base64url"))).toBe("SIZE");
    expect(check(Buffer.concat([...fields, field(16, field(7, Buffer.alloc(0)))]).toString("base64url"))).toBe("PROTO");
  });

  it("of roots in a chain: 64, skipped ones included", () => {
    const documents = Array.from({ length: 65 }, (_, i) => rootDocument({ ep: i + 1 }));
    const chain = (count: number, pinned: number): string =>
      verify(
        singleCase("root", [], {
          roots: documents.slice(0, count).map((each) => root(each)),
          pin: pinOf(documents[pinned]!),
        }),
      ).result;
    expect(chain(64, 0)).toBe("ok");
    expect(chain(65, 0)).toBe("ROOT_INVALID");
    expect(chain(64, 63)).toBe("ok");
    expect(chain(65, 64)).toBe("ROOT_INVALID");
  });

  it("of keys in a root: 32", () => {
    const more = Array.from({ length: 31 }, newKey);
    const withKeys = (count: number): string => {
      const keys = [
        keyMember(rootKey, "root"),
        keyMember(cfgKey, "cfg"),
        ...more.slice(0, count - 2).map((key) => keyMember(key, "push")),
      ];
      const document = rootDocument({ keys });
      expect(keys).toHaveLength(count);
      return verify(singleCase("root", [], { roots: [root(document)], pin: pinOf(document) })).result;
    };
    expect(withKeys(32)).toBe("ok");
    expect(withKeys(33)).toBe("ROOT_INVALID");
  });

  it("of signatures that a threshold asks for: 8", () => {
    const more = Array.from({ length: 9 }, newKey);
    const withThreshold = (push: number): string => {
      const document = rootDocument({
        keys: [keyMember(rootKey, "root"), keyMember(cfgKey, "cfg"), ...more.map((key) => keyMember(key, "push"))],
        thresholds: { root: 1, cfg: 1, fresh: 1, push },
      });
      return verify(singleCase("root", [], { roots: [root(document)], pin: pinOf(document) })).result;
    };
    expect(withThreshold(8)).toBe("ok");
    expect(withThreshold(9)).toBe("ROOT_INVALID");
  });

  it("of entries in a set: 256", () => {
    const withEntries = (count: number): string => {
      const entries = Array.from({ length: count }, (_, i) => ({
        rt: "type",
        name: `${NS}/${String(i).padStart(3, "0")}`,
        ver: "1",
        cds: [{ cd: digestText(Buffer.alloc(0)) }],
      }));
      const set = setAndFresh({ kind: "Set", rcps: [], entries }).set;
      return verify(singleCase("set", [set])).result;
    };
    expect(withEntries(256)).toBe("ok");
    expect(withEntries(257)).toBe("PAYLOAD");
  });

  it("of statements of a namespace: 512", () => {
    const one = plain("a");
    const withTexts = (count: number): object =>
      verify(namespaceCase([one], { envelopes: Array.from({ length: count }, () => one.text) }));
    expect(withTexts(512)).toEqual({ result: "MIXED", where: "envelopes[1]" });
    expect(withTexts(513)).toEqual({ result: "SIZE", where: "envelopes" });
  });

  it("of nested containers: 16", () => {
    const nested = (depth: number): string => {
      const spec = JSON.parse("[".repeat(depth - 2) + "]".repeat(depth - 2)) as unknown;
      return check(plain("a", { data: policy("a", { x: spec }) }).text);
    };
    expect(nested(16)).toBe("ok");
    expect(nested(17)).toBe("PAYLOAD");
  });
});

describe("times", () => {
  const at = (nowMs: number, claims: Members): string => check(plain("a", { claims }).text, { nowMs });
  const now = NOW_SEC * 1000;

  it("of iat: 60 s ahead, to the millisecond", () => {
    expect(at(now, { iat: NOW_SEC + 60 })).toBe("ok");
    expect(at(now - 1, { iat: NOW_SEC + 60 })).toBe("NOT_YET_VALID");
  });

  it("of exp: 60 s behind, to the millisecond", () => {
    expect(at(now + 59_999, { exp: NOW_SEC })).toBe("ok");
    expect(at(now + 60_000, { exp: NOW_SEC })).toBe("EXPIRED");
  });

  it("of exp and iat: up to 2^53-1", () => {
    const end = Number.MAX_SAFE_INTEGER;
    expect(at(now, { iat: end - 1, exp: end })).toBe("NOT_YET_VALID");
    expect(at(now, { iat: NOW_SEC, exp: end })).toBe("TTL_TOO_LONG");
    expect(at(now, { iat: 0, exp: end })).toBe("TTL_TOO_LONG");
  });

  it.each([
    ["cfg", 400 * DAY_SEC],
    ["set", 400 * DAY_SEC],
    ["fresh", DAY_SEC],
    ["push", DAY_SEC],
  ])("of the life of a %s", (use, maxSec) => {
    const document = rootDocument({
      keys: [keyMember(rootKey, "root"), keyMember(cfgKey, "cfg", "push"), keyMember(freshKey, "fresh")],
    });
    const { set, fresh } = {
      set: json({ kind: "Set", rcps: [], entries: [] }),
      fresh: json({ kind: "Fresh", set: { ver: "1", cd: digestText(Buffer.alloc(0)) } }),
    };
    const data = { cfg: policy("a"), set, fresh, push: Buffer.alloc(1) }[use]!;
    const needed: Members = {
      cfg: own,
      set: { ver: "1" },
      fresh: { ver: "1" },
      push: { rt: "t", name: "n", sid: "", seq: "1" },
    }[use]!;
    const living = (sec: number): string => {
      const claims = { ...needed, iat: NOW_SEC, exp: NOW_SEC + sec };
      const text = statement({ use, data, claims, signers: [cfgKey] });
      return verify(singleCase(use, [text], { pin: pinOf(document), roots: [root(document)] })).result;
    };
    expect(living(maxSec)).toBe("ok");
    expect(living(maxSec + 1)).toBe("TTL_TOO_LONG");
  });

  it("are asked for in their order", () => {
    const long = { iat: NOW_SEC + 61, exp: NOW_SEC + 500 * DAY_SEC };
    expect(at(now, long)).toBe("NOT_YET_VALID");
    expect(at(now, { iat: NOW_SEC - 500 * DAY_SEC, exp: NOW_SEC - 60 })).toBe("EXPIRED");
    expect(at(now, { iat: NOW_SEC, exp: NOW_SEC + 500 * DAY_SEC, ep: 9 })).toBe("TTL_TOO_LONG");
    expect(at(now, { iat: NOW_SEC + 61, ep: 9 })).toBe("NOT_YET_VALID");
  });
});
