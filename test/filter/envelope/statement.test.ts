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
  sha256,
  signature,
  statement,
} from "./forge.ts";
import {
  cfgKey,
  freshKey,
  keyMember,
  pinOf,
  plain,
  policy,
  recipientId,
  root,
  rootDocument,
  rootKey,
  singleCase,
  verify,
} from "./owner.ts";

const data = policy("a");
const own: Members = { rt: CFG_TYPE, name: `${NS}/a`, ver: "1" };
const check = (text: string, changes: Members = {}): string => verify(singleCase("cfg", [text], changes)).result;
const withClaims = (claims: Members): string =>
  statement({ use: "cfg", data, claims: { ...own, ...claims }, signers: [cfgKey] });
const claims = json(claimsOf({ use: "cfg", data, claims: own }));
const signedText = (text: string): string => envelope({ data, claims: Buffer.from(text), signers: [cfgKey] });

describe("one statement", () => {
  it("yields its payload", () => {
    const verdict = verify(singleCase("cfg", [plain("a").text, plain("b").text]));
    expect(verdict).toEqual({
      result: "ok",
      payloads: [data, policy("b")].map((each) => sha256(each).toString("hex")),
    });
  });

  it("names the statement at fault", () => {
    expect(verify(singleCase("cfg", [plain("a").text, "!"]))).toEqual({ result: "PROTO", where: "envelopes[1]" });
  });

  it("has a payload whatever its use", () => {
    const push = { rt: "type", name: "node", sid: "", seq: "1" };
    const document = rootDocument({ keys: [keyMember(rootKey, "root"), keyMember(cfgKey, "cfg", "push")] });
    const changes = { pin: pinOf(document), roots: [root(document)] };
    const text = statement({ use: "push", data: Buffer.of(1, 2), claims: push, signers: [cfgKey] });
    const payloads = [sha256(Buffer.of(1, 2)).toString("hex")];
    expect(verify(singleCase("push", [text], changes))).toEqual({ result: "ok", payloads });
    const want = (members: Members): string =>
      verify(singleCase("push", [text], { ...changes, want: { use: "push", ...members } })).result;
    expect(want({ sid: "", seq: "1" })).toBe("ok");
    expect(want({ sid: "A".repeat(22) })).toBe("SESSION");
    expect(want({ sid: "", seq: "2" })).toBe("SEQUENCE");
  });

  it("is never a msg", () => {
    expect(verify(singleCase("msg", [plain("a").text])).result).toBe("USE");
    expect(verify(singleCase("msg", [statement({ use: "msg", data, claims: own, signers: [cfgKey] })])).result).toBe(
      "USE",
    );
  });
});

describe("PROTO", () => {
  const token = (...extra: Buffer[]): Buffer =>
    Buffer.concat([
      field(4, cfgKey.publicKey.subarray(1)),
      field(7, claims),
      field(33, signature(cfgKey, claims)),
      ...extra,
    ]);
  const message = (...fields: Buffer[]): string => check(Buffer.concat(fields).toString("base64url"));
  const [body, sender] = [field(3, data), field(4, token())];
  const jwt = Buffer.from('{"typ":"JWT","alg":"ES256"}');

  it.each([
    ["the fields it needs", [body, sender]],
    ["another order", [sender, body]],
    [
      "every field",
      [
        field(1, Buffer.from("id")),
        field(2, Buffer.from("é")),
        body,
        sender,
        field(5, Buffer.alloc(0)),
        field(6, Buffer.alloc(0)),
        field(6, Buffer.concat([field(1, -1n), field(2, Buffer.from("hop"))])),
        field(7, 0n),
        field(9, -1n),
      ],
    ],
    ["the constant type", [body, field(4, token(field(32, jwt)))]],
    ["an empty type", [body, field(4, token(field(32, Buffer.alloc(0))))]],
    ["the largest ttl", [body, sender, field(9, 2n ** 31n - 1n)]],
    ["the smallest ttl", [body, sender, field(9, -(2n ** 31n))]],
  ])("is not said of %s", (_, fields) => {
    expect(message(...fields)).toBe("ok");
  });

  it.each<[string, Buffer[]]>([
    ["nothing", []],
    ["no sender", [body]],
    ["two senders", [body, sender, sender]],
    ["two bodies", [body, body, sender]],
    ["two ids", [body, sender, field(1, Buffer.alloc(0)), field(1, Buffer.alloc(0))]],
    ["two types of content encoding", [body, sender, field(7, 0n), field(7, 0n)]],
    ["an unknown field", [body, sender, field(8, 0n)]],
    ["field 0", [body, sender, Buffer.of(0, 0)]],
    ["an unknown field of the token", [body, field(4, token(field(5, Buffer.alloc(0))))]],
    ["two keys", [body, field(4, token(field(4, Buffer.alloc(64))))]],
    ["another type", [body, field(4, token(field(32, Buffer.from('{"alg":"ES256","typ":"JWT"}'))))]],
    ["text that is not UTF-8", [body, sender, field(1, Buffer.of(0xff))]],
    ["a hop that is not UTF-8", [body, sender, field(6, field(2, Buffer.of(0xff)))]],
    ["an unknown field of a hop", [body, sender, field(6, field(3, 0n))]],
    ["a hop with two times", [body, sender, field(6, Buffer.concat([field(1, 1n), field(1, 1n)]))]],
    ["ttl above int32", [body, sender, field(9, 2n ** 31n)]],
    ["ttl below int32", [body, sender, field(9, -(2n ** 31n) - 1n)]],
    ["a varint in two bytes for one", [body, sender, Buffer.of(9 << 3, 0x80, 0)]],
    ["a tag in two bytes for one", [body, sender, Buffer.of(0x80 | (9 << 3), 0, 0)]],
    [
      "a varint of 65 bits",
      [body, sender, field(6, Buffer.concat([Buffer.of(8), Buffer.alloc(9, 0xff), Buffer.of(2)]))],
    ],
    [
      "a varint of eleven bytes",
      [body, sender, field(6, Buffer.concat([Buffer.of(8), Buffer.alloc(10, 0x80), Buffer.of(1)]))],
    ],
    ["a varint without end", [body, sender, Buffer.of(9 << 3, 0x80)]],
    ["a varint where bytes belong", [body, sender, field(1, 0n)]],
    ["bytes where a varint belongs", [body, sender, field(9, Buffer.alloc(0))]],
    ["a fixed32", [body, sender, Buffer.of((9 << 3) | 5, 0, 0, 0, 0)]],
    ["a group", [body, sender, Buffer.of((6 << 3) | 3, (6 << 3) | 4)]],
    ["a length beyond the end", [body, sender, Buffer.of((1 << 3) | 2, 1)]],
    ["a length beyond 2^32", [body, sender, Buffer.of((1 << 3) | 2, 0x80, 0x80, 0x80, 0x80, 0x10)]],
    ["a byte after the end", [body, sender, Buffer.of(8)]],
    ["a cosigner with claims", [body, sender, field(16, Buffer.concat([cosignerBody(), field(7, Buffer.alloc(0))]))]],
    ["a cosigner with a type", [body, sender, field(16, Buffer.concat([cosignerBody(), field(32, Buffer.alloc(0))]))]],
  ])("is said of %s", (_, fields) => {
    expect(message(...fields)).toBe("PROTO");
  });

  it.each(["", "A", "AAA=", "AA AA", "AB"])("is said of text %j", (text) => {
    expect(check(text)).toBe("PROTO");
  });

  function cosignerBody(): Buffer {
    return Buffer.concat([field(4, cfgKey.publicKey.subarray(1)), field(33, Buffer.alloc(64))]);
  }
});

describe("claims", () => {
  it.each<[string, Members, string]>([
    ["no contact", { sub: "tel:1" }, "CLAIMS"],
    ["an https contact", { sub: "https:" }, "ok"],
    ["a number for text", { sub: 1 }, "CLAIMS"],
    ["an array of audiences", { aud: ["x"] }, "CLAIMS"],
    ["text for a number", { exp: "1" }, "CLAIMS"],
    ["a negative number", { iat: -1 }, "CLAIMS"],
    ["exp at iat", { exp: NOW_SEC, iat: NOW_SEC }, "CLAIMS"],
    ["exp just after iat", { exp: NOW_SEC + 1, iat: NOW_SEC }, "ok"],
    ["an unknown claim", { jti: "x" }, "CLAIMS"],
    ["no audience", { aud: undefined }, "CLAIMS"],
    ["no ver", { ver: undefined }, "CLAIMS"],
    ["a ver with a leading zero", { ver: "01" }, "CLAIMS"],
    ["a ver of 2^64", { ver: "18446744073709551616" }, "CLAIMS"],
    ["a ver of 2^64-1", { ver: "18446744073709551615" }, "ok"],
    ["a sid", { sid: "" }, "CLAIMS"],
    ["a seq", { seq: "1" }, "CLAIMS"],
    ["seq 0", { seq: "0" }, "CLAIMS"],
    ["a short sid", { sid: "AAAA" }, "CLAIMS"],
    ["ce without rcp", { ce: "aes128gcm" }, "CLAIMS"],
    ["rcp without ce", { rcp: recipientId }, "CLAIMS"],
    ["another domain", { dom: "wpgate/2" }, "DOMAIN"],
    ["another domain and use", { dom: "wpgate/2", use: "set" }, "DOMAIN"],
    ["no such use", { use: "policy" }, "USE"],
    ["another use, and claims of none", { use: "set", sid: "" }, "USE"],
    ["another audience", { aud: "https://team-b.mesh.example.com" }, "AUDIENCE"],
    ["another audience and namespace", { aud: "x", ns: "team-b" }, "AUDIENCE"],
    ["another namespace", { ns: "team-b" }, "NAMESPACE"],
    ["another type", { rt: "x" }, "PAYLOAD"],
    ["another name", { name: "team-a/b" }, "PAYLOAD"],
    ["epoch 0", { ep: 0 }, "EPOCH"],
    ["the next epoch", { ep: 2 }, "EPOCH"],
    ["another length", { len: 1 }, "LENGTH"],
    ["another length and digest", { len: 1, cd: "" }, "LENGTH"],
    ["another digest", { cd: digestText(Buffer.alloc(1)) }, "DIGEST"],
    ["another coding", { ce: "aesgcm", rcp: recipientId }, "ENCODING"],
    ["a coding that the message does not have", { ce: "aes128gcm", rcp: recipientId }, "ENCODING"],
  ])("with %s", (_, changed, result) => {
    expect(check(withClaims(changed))).toBe(result);
  });

  it.each([
    ["nothing", ""],
    ["no object", "[]"],
    ["white space at the end", `${claims.toString()} `],
    ["a byte order mark", `\ufeff${claims.toString()}`],
    ["a claim twice", claims.toString().replace("{", '{"ep":1,')],
    ["a fraction", claims.toString().replace('"ep":1', '"ep":1.0')],
  ])("that are %s", (_, text) => {
    expect(check(signedText(text))).toBe("CLAIMS");
  });

  it("in another order, spaced and escaped", () => {
    const reordered = Object.entries(claimsOf({ use: "cfg", data, claims: own })).reverse();
    const text = JSON.stringify(Object.fromEntries(reordered), undefined, 2);
    expect(check(signedText(text.replace('"aud"', String.raw`"\u0061ud"`)))).toBe("ok");
  });
});

describe("signers", () => {
  const [second, third] = [newKey(), newKey()];
  const document = rootDocument({
    keys: [
      keyMember(rootKey, "root"),
      ...[cfgKey, second, third].map((key) => keyMember(key, "cfg")),
      keyMember(freshKey, "fresh"),
    ],
    thresholds: { root: 1, cfg: 2, fresh: 1, push: 1 },
  });
  const chain = { pin: pinOf(document), roots: [root(document)] };
  const signedBy = (...signers: Key[]): string => check(statement({ use: "cfg", data, claims: own, signers }), chain);

  it.each<[string, Key[], string]>([
    ["the threshold", [cfgKey, second], "ok"],
    ["more than the threshold", [third, cfgKey, second], "ok"],
    ["one too few", [cfgKey], "THRESHOLD"],
    ["one key twice", [cfgKey, cfgKey], "THRESHOLD"],
    ["one key twice among enough", [cfgKey, second, cfgKey], "THRESHOLD"],
    ["a stranger", [newKey(), second], "KEY_UNKNOWN"],
    ["a stranger beyond the threshold", [cfgKey, second, newKey()], "KEY_UNKNOWN"],
    ["another role", [cfgKey, freshKey], "KEY_ROLE"],
    ["another role beyond the threshold", [cfgKey, second, rootKey], "KEY_ROLE"],
    ["another role before a stranger", [freshKey, newKey()], "KEY_ROLE"],
  ])("that are %s", (_, signers, result) => {
    expect(signedBy(...signers)).toBe(result);
  });

  const assembled = (...fields: Buffer[]): string => Buffer.concat([field(3, data), ...fields]).toString("base64url");
  const token = (k: Buffer, signed: Buffer): Buffer =>
    Buffer.concat([field(4, k), field(7, claims), field(33, signed)]);
  const k = cfgKey.publicKey.subarray(1);

  it.each<[string, Buffer, Buffer, string]>([
    ["as it should be", k, signature(cfgKey, claims), "ok"],
    ["with the prefix in k", cfgKey.publicKey, signature(cfgKey, claims), "KEY_UNKNOWN"],
    ["without k", Buffer.alloc(0), signature(cfgKey, claims), "KEY_UNKNOWN"],
    ["by another listed key", second.publicKey.subarray(1), signature(cfgKey, claims), "KEY_UNKNOWN"],
    ["of other claims", k, signature(cfgKey, Buffer.from("{}")), "SIGNATURE"],
    ["too short", k, signature(cfgKey, claims).subarray(1), "SIGNATURE"],
    ["too long", k, Buffer.concat([signature(cfgKey, claims), Buffer.alloc(1)]), "SIGNATURE"],
    ["missing", k, Buffer.alloc(0), "SIGNATURE"],
    ["of zeros", k, Buffer.alloc(64), "SIGNATURE"],
  ])("with a signature %s", (_, key, signed, result) => {
    expect(check(assembled(field(4, token(key, signed))))).toBe(result);
  });

  it("accepts both values of s", () => {
    const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const signed = signature(cfgKey, claims);
    const s = order - BigInt(`0x${signed.subarray(32).toString("hex")}`);
    const mirrored = Buffer.concat([signed.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
    expect(check(assembled(field(4, token(k, signed))))).toBe("ok");
    expect(check(assembled(field(4, token(k, mirrored))))).toBe("ok");
  });

  it("does not count a cosigner's bad signature out", () => {
    const sender = field(4, token(k, signature(cfgKey, claims)));
    const lifted = cosigner(third, Buffer.from("{}"));
    expect(check(assembled(sender, cosigner(second, claims), lifted), chain)).toBe("SIGNATURE");
    expect(check(assembled(sender, cosigner(second, claims)), chain)).toBe("ok");
  });

  describe("of a fresh", () => {
    const [both, alsoBoth] = [newKey(), newKey()];
    const fresh = (thresholds: Members, ...signers: Key[]): string => {
      const keys = [
        keyMember(rootKey, "root"),
        keyMember(cfgKey, "cfg"),
        keyMember(second, "cfg"),
        keyMember(freshKey, "fresh"),
        keyMember(third, "fresh"),
      ];
      const mixed = rootDocument({
        keys: [...keys, keyMember(both, "cfg", "fresh"), keyMember(alsoBoth, "cfg", "fresh")],
        thresholds: { root: 1, push: 1, ...thresholds },
      });
      const body = json({ kind: "Fresh", set: { ver: "1", cd: digestText(Buffer.alloc(0)) } });
      const text = statement({ use: "fresh", data: body, claims: { ver: "1" }, signers });
      return verify(singleCase("fresh", [text], { pin: pinOf(mixed), roots: [root(mixed)] })).result;
    };

    it.each<[string, Members, Key[], string]>([
      ["fresh", { fresh: 1, cfg: 2 }, [freshKey], "ok"],
      ["too few fresh", { fresh: 2, cfg: 1 }, [freshKey], "THRESHOLD"],
      ["cfg", { fresh: 2, cfg: 1 }, [cfgKey], "ok"],
      ["too few cfg", { fresh: 1, cfg: 2 }, [cfgKey], "THRESHOLD"],
      ["one of each", { fresh: 1, cfg: 1 }, [freshKey, cfgKey], "KEY_ROLE"],
      ["fresh and both", { fresh: 2, cfg: 3 }, [freshKey, both], "ok"],
      ["cfg and both, by the threshold of cfg", { fresh: 1, cfg: 3 }, [cfgKey, both], "THRESHOLD"],
      ["both, by the smaller threshold", { fresh: 3, cfg: 2 }, [both, alsoBoth], "ok"],
      ["both, by neither threshold", { fresh: 3, cfg: 3 }, [both, alsoBoth], "THRESHOLD"],
      ["a mixture around both", { fresh: 1, cfg: 1 }, [both, freshKey, cfgKey], "KEY_ROLE"],
      ["root", { fresh: 1, cfg: 1 }, [rootKey], "KEY_ROLE"],
      ["a mixture and a stranger", { fresh: 1, cfg: 1 }, [freshKey, cfgKey, newKey()], "KEY_UNKNOWN"],
    ])("%s", (_, thresholds, signers, result) => {
      expect(fresh(thresholds, ...signers)).toBe(result);
    });
  });
});
