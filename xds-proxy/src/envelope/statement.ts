/**
 * One statement (docs/envelope.md section 6). The functions named by a stage take only what the stage before returned; an
 * `AuthenticStatement` is made nowhere else.
 */
import { concat } from "../bytes/octets.ts";
import { openMessage } from "../crypto/message-encryption.ts";
import { digestOf, keyIdOf } from "../crypto/sha256.ts";
import { AES128GCM, parseClaims } from "./claims.ts";
import type { Claims } from "./claims.ts";
import { checkSize, decodeInput, parseEnvelope } from "./envelope.ts";
import type { UnverifiedEnvelope } from "./envelope.ts";
import { audienceOf } from "./names.ts";
import { takePreamble } from "./preamble.ts";
import { parsing, refuse } from "./refusal.ts";
import { bodyLimitsOf } from "./sizes.ts";
import type { SignatureBudget } from "./signature-budget.ts";
import { signaturesOf, verifySigners } from "./signers.ts";
import { parseConfigObject, parseFresh, parseSet } from "./documents.ts";
import type { FreshDocument, RootDocument, SetDocument } from "./documents.ts";
import { checkTimes, ttlMaxSecOf } from "./times.ts";
import type { Clock } from "./times.ts";
import type { EnvelopeInput, Recipient, Use, Want } from "./types.ts";

export interface StatementContext {
  /** The last root of a verified chain. */
  readonly root: RootDocument;
  readonly clock: Clock;
  readonly recipient: Recipient | undefined;
  /** Of the whole that the statement is a part of; without, only a single statement's own limits hold. */
  readonly signatures?: SignatureBudget;
}

/** A statement whose signers, times and digest are right, and whose payload may still be encrypted. */
export interface AuthenticStatement {
  readonly use: Use;
  readonly claims: Claims;
  /** As it travels. */
  readonly data: Uint8Array;
  /** The key that signed, 65 bytes. */
  readonly sender: Uint8Array;
}

/** A statement whose payload is in clear. */
export interface OpenedStatement {
  readonly claims: Claims;
  readonly payload: Uint8Array;
}

/** Steps 1 to 16, for a consumer that wants exactly this statement.
 *  @throws VerifyError */
export function verifyStatement(input: EnvelopeInput, want: Want, context: StatementContext): OpenedStatement {
  const statement = openStatement(input, want, context);
  checkPayload(statement.payload, statement.claims);
  return statement;
}

/** Steps 1 to 15: the caller still has to parse the payload.
 *  @throws VerifyError */
export function openStatement(input: EnvelopeInput, want: Want, context: StatementContext): OpenedStatement {
  return openWanted(authenticate(input, want.use, context), want, context);
}

/** Like `openStatement`, for an envelope that nobody else can change meanwhile: it is not copied, and the payload of one that is
 *  not sealed is a window on it.
 *  @throws VerifyError */
export function openOwned(envelope: Uint8Array, want: Want, context: StatementContext): OpenedStatement {
  checkSize(envelope.length, want.use);
  return openWanted(authenticateBytes(envelope, want.use, context), want, context);
}

function openWanted(statement: AuthenticStatement, want: Want, { recipient }: StatementContext): OpenedStatement {
  checkWanted(statement.claims, want);
  return { claims: statement.claims, payload: openPayload(statement, recipient) };
}

/** Steps 1 to 13.
 *  @throws VerifyError */
export function authenticate(input: EnvelopeInput, use: Use, context: StatementContext): AuthenticStatement {
  return authenticateBytes(decodeInput(input, use), use, context);
}

/** Steps 2 to 13. */
function authenticateBytes(bytes: Uint8Array, use: Use, context: StatementContext): AuthenticStatement {
  const { root, clock, signatures } = context;
  const envelope = parseEnvelope(bytes, use);
  const claims = parseClaims(envelope.sender.data, use);
  checkPlace(claims, root);
  signatures?.take(signaturesOf(envelope).length);
  verifySigners(envelope, use, root);
  checkTimes(claims, clock, ttlMaxSecOf(use, root));
  if (claims.ep < root.minEp || claims.ep > root.ep) refuse("EPOCH", `ep ${claims.ep} is not current`);
  checkDigest(claims, envelope.data);
  checkEncoding(claims, envelope);
  return { use, claims, data: envelope.data, sender: concat(Uint8Array.of(4), envelope.sender.k) };
}

/** Steps 5 and 6.
 *  @throws VerifyError AUDIENCE, NAMESPACE. */
export function checkPlace(claims: Claims, place: Pick<RootDocument, "ns" | "mesh" | "trustDomain">): void {
  if (claims.aud !== audienceOf(place)) refuse("AUDIENCE", `aud is not ${audienceOf(place)}`);
  if (claims.ns !== place.ns) refuse("NAMESPACE", `ns is not ${place.ns}`);
}

/** Step 12.
 *  @throws VerifyError LENGTH, DIGEST. */
export function checkDigest(claims: Claims, data: Uint8Array): void {
  if (claims.len !== data.length) refuse("LENGTH", "len is not the length of data");
  if (claims.cd !== digestOf(data)) refuse("DIGEST", "cd is not the digest of data");
}

/** Step 13.
 *  @throws VerifyError ENCODING. */
export function checkEncoding({ ce }: Claims, { contentEncoding }: UnverifiedEnvelope): void {
  const plain = ce === undefined && contentEncoding === 0;
  const sealed = ce === AES128GCM && contentEncoding === 1;
  if (!plain && !sealed) refuse("ENCODING", "ce and content_encoding differ");
}

/** Step 14. */
function checkWanted({ use, rt, name, sid, seq }: Claims, want: Want): void {
  if (want.rt !== undefined && rt !== want.rt) refuse("TYPE", `rt is not ${want.rt}`);
  if (want.name !== undefined && name !== want.name) refuse("NAME", `name is not ${want.name}`);
  if (use !== "push") return;
  if (want.sid !== undefined && sid !== want.sid) refuse("SESSION", "sid is another");
  if (want.seq !== undefined && seq !== want.seq) refuse("SEQUENCE", `seq is not ${want.seq}`);
}

/** Step 15: the payload in clear, without preamble.
 *  @throws VerifyError RECIPIENT, DECRYPT, INNER_MISMATCH. */
export function openPayload(statement: AuthenticStatement, recipient: Recipient | undefined): Uint8Array {
  const { claims, data, sender, use } = statement;
  if (claims.rcp === undefined) return data;
  if (recipient === undefined) refuse("RECIPIENT", "no recipient key");
  if (claims.rcp !== keyIdOf(recipient.key.publicKey)) refuse("RECIPIENT", "sealed for another recipient");
  const message = openMessage(recipient, data, bodyLimitsOf(use));
  if (message === undefined) refuse("DECRYPT", "the body does not decrypt");
  if (Buffer.compare(message.sender, sender) === 0) refuse("DECRYPT", "the body does not decrypt");
  return takePreamble(message.text, claims, keyIdOf(sender));
}

/** Step 16.
 *  @throws VerifyError PAYLOAD. */
export function checkPayload(payload: Uint8Array, claims: Claims): void {
  switch (claims.use) {
    case "cfg":
      checkConfigObject(payload, claims);
      break;
    case "set":
      parseSetPayload(payload);
      break;
    case "fresh":
      parseFreshPayload(payload);
      break;
  }
}

/** @throws VerifyError PAYLOAD. */
export function parseSetPayload(payload: Uint8Array): SetDocument {
  return parsing("PAYLOAD", () => parseSet(payload));
}

/** @throws VerifyError PAYLOAD. */
export function parseFreshPayload(payload: Uint8Array): FreshDocument {
  return parsing("PAYLOAD", () => parseFresh(payload));
}

function checkConfigObject(payload: Uint8Array, { rt, name, ns }: Claims): void {
  const object = parsing("PAYLOAD", () => parseConfigObject(payload));
  if (`${object.apiVersion}/${object.kind}` !== rt) refuse("PAYLOAD", "apiVersion and kind are not rt");
  if (`${object.namespace}/${object.name}` !== name) refuse("PAYLOAD", "metadata is not name");
  if (object.namespace !== ns) refuse("PAYLOAD", "metadata.namespace is not ns");
}
