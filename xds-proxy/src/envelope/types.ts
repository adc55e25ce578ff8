/** Vocabulary of envelopes: what a verifier is given and what it hands out. */
import type { ExchangeKey } from "../crypto/ecdh-p256.ts";
import type { Code } from "../gen/codes.ts";
import type { RootDocument } from "./documents.ts";

export const USES = ["root", "cfg", "set", "fresh", "push", "msg"] as const;
export type Use = (typeof USES)[number];

/** The trust root. `roots` maps a namespace to the base64url SHA-256 of the `data` of one of its roots. */
export interface Pin {
  readonly mesh: string;
  readonly trustDomain: string;
  readonly roots: Readonly<Record<string, string>>;
}

/** What a consumer remembers of a namespace. Versions are decimal u64, digests base64url SHA-256, times seconds. */
export interface TrustState {
  readonly ep: number;
  readonly minEp: number;
  readonly rootCd: string;
  readonly setVer: string;
  readonly setCd: string;
  readonly freshVer: string;
  readonly freshCd: string;
  readonly iatMax: number;
}

/** A consumer that can read sealed statements. */
export interface Recipient {
  readonly key: ExchangeKey;
  /** 16 bytes. */
  readonly auth: Uint8Array;
}

/** Whom a statement is sealed for: the public half of a `Recipient`, as in a push subscription. */
export interface RecipientPublic {
  /** 65 bytes. */
  readonly p256dh: Uint8Array;
  /** 16 bytes. */
  readonly auth: Uint8Array;
}

/** What a consumer takes; where a member is absent, any. `sid` and `seq` are of a push. */
export interface Want {
  readonly use: Use;
  readonly rt?: string;
  readonly name?: string;
  readonly sid?: string;
  readonly seq?: string;
}

/** An envelope as it is carried: the protobuf, or its base64url. */
export type EnvelopeInput = Uint8Array | string;

/** A verified payload: the exact bytes that the owner signed, decrypted and without preamble where it was sealed. */
export interface Payload {
  readonly rt: string;
  readonly name: string;
  readonly ver: string;
  readonly data: Uint8Array;
}

/** Why an input was not believed, and which part of it: `roots[1]`, `fresh`, `set`, `envelopes[3]`, `state` or nothing for the whole. */
export interface Refusal {
  readonly result: Code;
  readonly where: string;
  /** For people; not part of the verdict. */
  readonly reason: string;
}

export interface VerifiedNamespace {
  readonly result: "ok";
  readonly payloads: readonly Payload[];
  /** The last root of the chain. */
  readonly root: RootDocument;
  readonly next: TrustState;
  /** `exp` of the fresh statement, seconds. */
  readonly freshExpSec: number;
  /** The smallest `exp` of everything that was verified, seconds. */
  readonly expiresAtSec: number;
}

export type NamespaceVerdict = VerifiedNamespace | Refusal;

export interface VerifiedStatements {
  readonly result: "ok";
  readonly payloads: readonly Payload[];
}

export type StatementsVerdict = VerifiedStatements | Refusal;

export interface VerifiedRoots {
  readonly result: "ok";
  readonly root: RootDocument;
  /** Base64url SHA-256 of the last root's `data`. */
  readonly rootCd: string;
  readonly expSec: number;
}

export type RootsVerdict = VerifiedRoots | Refusal;
