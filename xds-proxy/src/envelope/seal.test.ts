import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeWebpushMessage } from "./format.ts";
import { inspectEnvelope } from "./inspect.ts";
import { signStatement } from "./seal.ts";
import type { StatementOptions } from "./seal.ts";
import { encodeRoot } from "./documents.ts";
import type { RootDocument } from "./documents.ts";
import type { Pin, Recipient } from "./types.ts";
import { verifyStatements } from "./verify.ts";
import { utf8 } from "../bytes/octets.ts";
import { ExchangeKey } from "../crypto/ecdh-p256.ts";
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import { digestOf, keyIdOf } from "../crypto/sha256.ts";
import { LimitError, UpstreamError } from "../errors.ts";
import { PUSH_DATA_MAX_BYTES } from "../gen/limits.ts";

const keys = { root: SigningKey.generate(), cfg: SigningKey.generate(), push: SigningKey.generate() };
const place = { ns: "team-a", mesh: "mesh-1", trustDomain: "cluster.local" };
const root: RootDocument = {
  ...{ ...place, ep: 1, minEp: 1, thresholds: { root: 1, cfg: 1, fresh: 1, push: 1 } },
  keys: (["root", "cfg", "push"] as const).map((role) => ({ publicKey: keys[role].publicKey, roles: [role] })),
  ...{ mode: "enforce", default: "deny", paths: "strict", onStale: "keep", maxFreshSec: 3600 },
};
const common = { ...place, sub: "mailto:owner@example.com", iatSec: 1000, expSec: 2000, ep: 1 };
const rootData = encodeRoot(root);
const roots = [await signStatement({ ...common, use: "root", data: rootData, signers: [keys.root] })];
const pin: Pin = { mesh: place.mesh, trustDomain: place.trustDomain, roots: { "team-a": digestOf(rootData) } };
const POLICY = utf8('{"apiVersion":"v1","kind":"T","metadata":{"name":"a","namespace":"team-a"},"spec":{}}');
const CFG = {
  ...common,
  use: "cfg",
  rt: "v1/T",
  name: "team-a/a",
  ver: "1",
  data: POLICY,
  signers: [keys.cfg],
} as const;
const PUSH = {
  ...common,
  use: "push",
  rt: "t",
  name: "n",
  sid: "",
  seq: "1",
  data: POLICY,
  signers: [keys.push],
} as const;
const recipient: Recipient = { key: ExchangeKey.generate(), auth: randomBytes(16) };
const sealedFor = { p256dh: recipient.key.publicKey, auth: recipient.auth };

function verify(envelope: Uint8Array, use: "cfg" | "push" = "cfg"): ReturnType<typeof verifyStatements> {
  return verifyStatements({
    ...{ pin, ns: "team-a", roots, recipient },
    envelopes: [envelope],
    want: { use },
    nowMs: 1_500_000,
  });
}

describe("signing", () => {
  test("claims are in one order, without white space", async () => {
    const { sender } = decodeWebpushMessage(await signStatement(CFG));
    expect(Buffer.from(sender.data).toString()).toBe(
      `{"aud":"https://team-a.mesh-1.cluster.local","exp":2000,"iat":1000,"sub":"mailto:owner@example.com","dom":"wpgate/1",` +
        `"use":"cfg","ns":"team-a","rt":"v1/T","name":"team-a/a","ver":"1","ep":1,"cd":"${digestOf(POLICY)}","len":${POLICY.length}}`,
    );
  });

  test("claims of a sealed push are in one order", async () => {
    const { sender } = decodeWebpushMessage(await signStatement({ ...PUSH, recipient: sealedFor }));
    const order = Object.keys(JSON.parse(Buffer.from(sender.data).toString()) as object);
    expect(order.join(" ")).toBe("aud exp iat sub dom use ns rt name sid seq ep cd len ce rcp");
  });

  test("what is signed verifies, and the payload is the same bytes", async () => {
    const verdict = verify(await signStatement(CFG));
    expect(verdict).toEqual({ result: "ok", payloads: [{ rt: "v1/T", name: "team-a/a", ver: "1", data: POLICY }] });
  });

  test("a verified payload does not change with the caller's buffer", async () => {
    const envelope = Uint8Array.from(await signStatement(CFG));
    const verdict = verify(envelope);
    envelope.fill(0);
    expect(verdict).toMatchObject({ result: "ok", payloads: [{ data: POLICY }] });
  });

  test("a signer may be asynchronous, and of any kind", async () => {
    const remote = {
      publicKey: keys.cfg.publicKey,
      sign: (message: Uint8Array) => Promise.resolve(keys.cfg.sign(message)),
    };
    expect(verify(await signStatement({ ...CFG, signers: [remote] })).result).toBe("ok");
  });

  test("a signer that gives something else than 64 bytes is named", async () => {
    const broken = { publicKey: keys.cfg.publicKey, sign: () => new Uint8Array(70) };
    await expect(signStatement({ ...CFG, signers: [broken] })).rejects.toBeInstanceOf(UpstreamError);
  });

  test("limits are kept at signing", async () => {
    await expect(signStatement({ ...CFG, data: new Uint8Array(1_048_577) })).rejects.toBeInstanceOf(LimitError);
    await expect(
      signStatement({ ...CFG, data: new Uint8Array(1_048_400), recipient: sealedFor }),
    ).rejects.toBeInstanceOf(LimitError);
    const signers: StatementOptions["signers"] = [keys.cfg, ...Array.from({ length: 17 }, () => keys.cfg)];
    await expect(signStatement({ ...CFG, signers })).rejects.toBeInstanceOf(LimitError);
  });
});

describe("sealing", () => {
  test("the recipient reads what was sealed", async () => {
    const envelope = await signStatement({ ...CFG, recipient: sealedFor });
    expect(Buffer.from(envelope).includes("apiVersion")).toBe(false);
    expect(verify(envelope)).toMatchObject({ result: "ok", payloads: [{ data: POLICY }] });
  });

  test("salt and sender key are fresh for every message", async () => {
    const bodies = await Promise.all([1, 2].map(() => signStatement({ ...CFG, recipient: sealedFor })));
    const [first, second] = bodies.map((envelope) => decodeWebpushMessage(envelope).data);
    expect(first!.subarray(0, 16)).not.toEqual(second!.subarray(0, 16));
    expect(first!.subarray(21, 86)).not.toEqual(second!.subarray(21, 86));
  });

  test("a payload longer than a web push record travels in one", async () => {
    const data = utf8(
      JSON.stringify({
        ...(JSON.parse(Buffer.from(POLICY).toString()) as object),
        spec: { note: "x".repeat(900_000) },
      }),
    );
    expect(verify(await signStatement({ ...CFG, data, recipient: sealedFor }))).toMatchObject({ result: "ok" });
  });
});

test("a push may be 64 MiB, and not a byte longer", async () => {
  const data = new Uint8Array(PUSH_DATA_MAX_BYTES + 1);
  const largest = await signStatement({ ...PUSH, data: data.subarray(1) });
  expect(verify(largest, "push").result).toBe("ok");
  await expect(signStatement({ ...PUSH, data })).rejects.toBeInstanceOf(LimitError);
  const over = Buffer.concat([
    Buffer.from([0x1a, ...varint(data.length)]),
    data,
    largest.subarray(5 + PUSH_DATA_MAX_BYTES),
  ]);
  expect(verify(over, "push")).toMatchObject({ result: "SIZE" });
});

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

test("inspecting shows claims and signers, and says that nothing was checked", async () => {
  const view = inspectEnvelope(await signStatement(CFG));
  expect(view.trusted).toBe(false);
  expect(view.signers).toEqual([keyIdOf(keys.cfg.publicKey)]);
  expect(view.claims.name).toBe("team-a/a");
  expect(view.payload).toBe(Buffer.from(POLICY).toString());
  const sealed = inspectEnvelope(await signStatement({ ...CFG, recipient: sealedFor }));
  expect(sealed.data.sealed).toBe(true);
  expect("payload" in sealed).toBe(false);
});
