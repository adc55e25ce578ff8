/** A readable view of an envelope, for people. Nothing here was verified, and no verdict may be built on it. */
import { decodeBase64Url } from "../bytes/base64url.ts";
import { concat, decodeUtf8 } from "../bytes/octets.ts";
import { digestOf, keyIdOf } from "../crypto/sha256.ts";
import { readClaims } from "./claims.ts";
import type { Claims } from "./claims.ts";
import { decodeWebpushMessage } from "./format.ts";
import type { EnvelopeInput } from "./types.ts";

export interface UntrustedView {
  readonly trusted: false;
  readonly bytes: number;
  readonly claims: Claims;
  /** Key ids of the sender and the cosigners, as they claim. */
  readonly signers: readonly string[];
  readonly data: { readonly bytes: number; readonly cd: string; readonly sealed: boolean };
  /** The payload as text, unless it is sealed or not UTF-8. */
  readonly payload?: string;
  readonly routing: { readonly id: string; readonly push: string; readonly from: string; readonly ttl: number };
}

/** @throws ParseError */
export function inspectEnvelope(input: EnvelopeInput): UntrustedView {
  const bytes = typeof input === "string" ? decodeBase64Url(input) : input;
  const message = decodeWebpushMessage(bytes);
  const sealed = message.contentEncoding !== 0;
  const payload = sealed ? undefined : decodeUtf8(message.data);
  const { id, push, from, ttl } = message;
  return {
    trusted: false,
    bytes: bytes.length,
    claims: readClaims(message.sender.data),
    signers: [message.sender, ...message.cosigners].map(({ k }) => keyIdOf(concat(Uint8Array.of(4), k))),
    data: { bytes: message.data.length, cd: digestOf(message.data), sealed },
    ...(payload !== undefined && { payload }),
    routing: { id, push, from, ttl },
  };
}
