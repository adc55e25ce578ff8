/** Sizes (docs/envelope.md section 6, steps 1 and 3): at each bound, and one past it. */
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { concat } from "../../../xds-proxy/src/bytes/octets.ts";
import { stringField } from "../../../xds-proxy/src/bytes/protobuf.ts";
import {
  CLAIMS_MAX_BYTES,
  COSIGNERS_MAX_COUNT,
  DATA_MAX_BYTES,
  ENVELOPE_OVERHEAD_MAX_BYTES,
  SIGNATURES_MAX_COUNT,
} from "../../../xds-proxy/src/gen/limits.ts";
import { single } from "../case.ts";
import type { Expected, NamedCase } from "../case.ts";
import { json, KEYS, policyValue } from "../documents.ts";
import { forge } from "../forge.ts";
import type { Forgery } from "../forge.ts";
import { namespaceCase, object } from "../namespace.ts";

const GOOD: Forgery = { use: "cfg", data: json(policyValue()), signers: ["cfg"] };

/** A policy of exactly so many bytes. */
function policyOf(bytes: number): Uint8Array {
  const policy = (note: string): Uint8Array => json(policyValue({ spec: { note } }));
  return policy("x".repeat(bytes - policy("").length));
}

/** Adds an `id` that makes the envelope exactly so many bytes long. */
function padTo(bytes: number): (fields: readonly Uint8Array[]) => readonly Uint8Array[] {
  return (fields) => {
    const rest = bytes - concat(...fields).length;
    const lengthBytes = rest < 0x80 + 2 ? 1 : rest < 0x4000 + 3 ? 2 : 3;
    return [...fields, stringField(1, "x".repeat(rest - 1 - lengthBytes))];
  };
}

/** A contact that makes the claims exactly so many bytes long. */
function claimsOf(bytes: number): (text: string) => string {
  return (text) => text.replace("mailto:", `mailto:${"x".repeat(bytes - text.length)}`);
}

const many = Array.from({ length: COSIGNERS_MAX_COUNT + 2 }, (_, i) => `cfg-${i + 1}`);
const manyKeys = [...KEYS, ...many.map((name) => [name, "cfg"] as const)];
const ENVELOPE_MAX_BYTES = DATA_MAX_BYTES + ENVELOPE_OVERHEAD_MAX_BYTES;

function row(name: string, comment: string, expect: Expected, forgery: Partial<Forgery>, root = {}): NamedCase {
  const envelopes = [encodeBase64Url(forge({ ...GOOD, ...forgery }))];
  return [`limits-${name}`, single({ comment, expect, envelopes, root })];
}

/** A namespace of that many signatures, root and fresh with one each: as many as possible on each policy, the rest on the set. */
function signaturesCase(count: number, expect: Expected | undefined): NamedCase {
  const most = COSIGNERS_MAX_COUNT + 1;
  const signers = many.slice(0, most);
  const objects = Array.from({ length: Math.floor((count - 3) / most) }, (_, i) =>
    object({ name: `p${String(i).padStart(2, "0")}`, forgery: { signers } }),
  );
  const set = { signers: many.slice(0, count - 2 - objects.length * most) };
  const payloads = objects.map(({ payload }) => payload);
  const comment = `${count} signatures in one namespace`;
  return [
    `limits-signatures-${count}`,
    namespaceCase({ comment, expect: expect ?? payloads, objects, set, root: { keys: manyKeys } }),
  ];
}

export function limitCases(): readonly NamedCase[] {
  const largest = policyOf(DATA_MAX_BYTES);
  return [
    row("largest", "the largest data in the largest envelope", [largest], {
      data: largest,
      message: padTo(ENVELOPE_MAX_BYTES),
    }),
    row("data", "data one byte too long", "SIZE", { data: policyOf(DATA_MAX_BYTES + 1) }),
    row("envelope", "an envelope one byte too long", "SIZE", { message: padTo(ENVELOPE_MAX_BYTES + 1) }),
    row("claims-largest", "the longest claims", [GOOD.data], { claimsText: claimsOf(CLAIMS_MAX_BYTES) }),
    row("claims", "claims one byte too long", "SIZE", { claimsText: claimsOf(CLAIMS_MAX_BYTES + 1) }),
    row(
      "cosigners-most",
      "as many cosigners as there may be",
      [GOOD.data],
      { signers: many.slice(1) },
      { keys: manyKeys },
    ),
    row("cosigners", "one cosigner too many", "SIZE", { signers: many }, { keys: manyKeys }),
    signaturesCase(SIGNATURES_MAX_COUNT, undefined),
    signaturesCase(SIGNATURES_MAX_COUNT + 1, "SIZE"),
    row("claims-before-content", "claims that are too long and no JSON", "SIZE", {
      claimsText: () => "x".repeat(CLAIMS_MAX_BYTES + 1),
    }),
  ];
}
