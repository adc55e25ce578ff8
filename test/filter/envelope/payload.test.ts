import { describe, expect, it } from "vitest";
import { CFG_TYPE, type Members, NS, claimsOf, newRecipient, seal, statement } from "./forge.ts";
import { cfgKey, policy, recipient, recipientId, recipientMember, sealed, singleCase, verify } from "./owner.ts";

const data = policy("a");
const own: Members = { rt: CFG_TYPE, name: `${NS}/a`, ver: "1" };
const check = (text: string, changes: Members = {}): string => verify(singleCase("cfg", [text], changes)).result;

describe("sealed statements", () => {
  const open = (text: string, changes: Members = {}): string => check(text, { recipient: recipientMember, ...changes });
  const body = (raw: Buffer, changes: Members = {}): string => {
    const sealing = { ...own, ce: "aes128gcm", rcp: recipientId, ...changes };
    return statement({ use: "cfg", data: raw, claims: sealing, signers: [cfgKey], contentEncoding: 1 });
  };
  const preamble = { aud: claimsOf({ use: "", data })["aud"], rt: CFG_TYPE, name: `${NS}/a`, ver: "1" };

  it("open for their recipient, padded or not", () => {
    expect(open(sealed("a").text)).toBe("ok");
    expect(open(sealed("a", recipient, { padding: 1000 }).text)).toBe("ok");
  });

  it("stay closed to everybody else", () => {
    expect(open(sealed("a", newRecipient()).text)).toBe("RECIPIENT");
    expect(check(sealed("a").text)).toBe("RECIPIENT");
    const stranger = newRecipient();
    const wrongKey = { ...recipientMember, privateKey: stranger.privateKey.toString("base64url") };
    expect(open(sealed("a").text, { recipient: wrongKey })).toBe("DECRYPT");
    const wrongAuth = { ...recipientMember, auth: stranger.auth.toString("base64url") };
    expect(open(sealed("a").text, { recipient: wrongAuth })).toBe("DECRYPT");
  });

  const good = seal(recipient, Buffer.from("x"));
  const edited = (edit: (bytes: Buffer) => void): Buffer => {
    const copy = Buffer.from(good);
    edit(copy);
    return copy;
  };
  it.each<[string, Buffer]>([
    ["nothing", Buffer.alloc(0)],
    ["a header without record", good.subarray(0, 86)],
    ["a tag without delimiter", good.subarray(0, 86 + 16)],
    ["idlen 64", edited((bytes) => (bytes[20] = 64))],
    ["a bad tag", edited((bytes) => (bytes[bytes.length - 1]! ^= 1))],
    ["a bad ciphertext", edited((bytes) => (bytes[86]! ^= 1))],
    ["another salt", edited((bytes) => (bytes[0]! ^= 1))],
    ["a key off the curve", edited((bytes) => (bytes[85]! ^= 1))],
    ["a compressed prefix", edited((bytes) => (bytes[21] = 2))],
    ["the signer's key", edited((bytes) => cfgKey.publicKey.copy(bytes, 21))],
    ["padding alone", sealedRaw(Buffer.alloc(20))],
    ["the delimiter of an earlier record", sealedRaw(Buffer.of(0x78, 1, 0))],
    ["no delimiter", sealedRaw(Buffer.of(0x78))],
  ])("that are %s", (_, raw) => {
    expect(open(body(raw))).toBe("DECRYPT");
  });

  /** A record whose text ends with its own last byte instead of a delimiter that `seal` would add. */
  function sealedRaw(text: Buffer): Buffer {
    return seal(recipient, text, { delimiter: false });
  }

  it.each<[string, Members | undefined, string | undefined]>([
    ["another audience", { aud: "x" }, undefined],
    ["another type", { rt: "x" }, undefined],
    ["another name", { name: "x" }, undefined],
    ["another version", { ver: "2" }, undefined],
    ["another signer", { kid: recipientId }, undefined],
    ["a member more", { x: "" }, undefined],
    ["a number", { ver: 1 }, undefined],
    ["no line feed", undefined, JSON.stringify(preamble)],
    ["no preamble", undefined, "\n{}"],
    ["white space before the line feed", undefined, `${JSON.stringify(preamble)} \n{}`],
    ["nothing", undefined, ""],
  ])("with a preamble of %s", (_, members, text) => {
    const options = text === undefined ? { preamble: members ?? {} } : { text: Buffer.from(text) };
    expect(open(sealed("a", recipient, options).text)).toBe("INNER_MISMATCH");
  });

  it("say whom they are for before they are opened", () => {
    expect(open(body(good, { rcp: "A".repeat(22) }))).toBe("RECIPIENT");
    expect(open(body(good), { want: { use: "cfg", rt: "x" } })).toBe("TYPE");
    expect(open(body(good), { want: { use: "cfg", name: "x" } })).toBe("NAME");
  });
});

describe("a cfg payload", () => {
  const object = (changes: Members): Members => ({ ...(JSON.parse(data.toString()) as Members), ...changes });
  const carry = (text: string): string =>
    check(statement({ use: "cfg", data: Buffer.from(text), claims: own, signers: [cfgKey] }));

  it.each<[string, Members, string]>([
    ["negative numbers", { spec: { a: [-1] } }, "ok"],
    ["more metadata", { metadata: { name: "a", namespace: NS, labels: { x: "y" } } }, "ok"],
    ["another kind", { kind: "RequestAuthentication" }, "PAYLOAD"],
    ["another apiVersion", { apiVersion: "security.istio.io/v1beta1" }, "PAYLOAD"],
    ["another name", { metadata: { name: "b", namespace: NS } }, "PAYLOAD"],
    ["another namespace", { metadata: { name: "a", namespace: "team-b" } }, "PAYLOAD"],
    ["a slash moved", { apiVersion: "security.istio.io", kind: "v1/AuthorizationPolicy" }, "ok"],
    ["no spec", { spec: undefined }, "PAYLOAD"],
    ["a spec that is no object", { spec: [] }, "PAYLOAD"],
    ["a status", { status: {} }, "PAYLOAD"],
    ["a name that is no text", { metadata: { name: 1, namespace: NS } }, "PAYLOAD"],
  ])("with %s", (_, changes, result) => {
    expect(carry(JSON.stringify(object(changes)))).toBe(result);
  });

  it("is strict JSON", () => {
    expect(carry(`${data.toString()}\n`)).toBe("PAYLOAD");
    expect(carry(data.toString().replace('"spec":{}', '"spec":{"x":1.5}'))).toBe("PAYLOAD");
    expect(carry(data.toString().replace('"spec":{}', '"spec":{"x":1,"x":1}'))).toBe("PAYLOAD");
    expect(carry("")).toBe("PAYLOAD");
  });
});
