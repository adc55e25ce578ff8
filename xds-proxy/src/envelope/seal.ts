/**
 * Signing and sealing (docs/envelope.md sections 2 to 4). Keys are behind `Signer`, so that they can live in an HSM or
 * KMS. What is signed here passes `verify.ts` under a root that lists the signers.
 */
import { concat } from "../bytes/octets.ts";
import { sealMessage } from "../crypto/message-encryption.ts";
import type { SealOptions } from "../crypto/message-encryption.ts";
import { SIGNATURE_BYTES } from "../crypto/p256.ts";
import { digestOf, keyIdOf } from "../crypto/sha256.ts";
import { LimitError, UpstreamError } from "../errors.ts";
import { COSIGNERS_MAX_COUNT } from "../gen/limits.ts";
import { AES128GCM, DOMAIN, encodeClaims } from "./claims.ts";
import type { Claims } from "./claims.ts";
import { webpushMessageParts } from "./format.ts";
import type { Vapid } from "./format.ts";
import { audienceOf } from "./names.ts";
import { encodePreamble } from "./preamble.ts";
import { bodyLimitsOf, dataMaxBytesOf } from "./sizes.ts";
import { signingInputOf } from "../crypto/jws.ts";
import type { RecipientPublic, Use } from "./types.ts";

export interface Signer {
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  /** ES256 over `message`, which is not hashed yet: 64 bytes, r and s. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface StatementContent {
  readonly use: Use;
  readonly ns: string;
  readonly mesh: string;
  readonly trustDomain: string;
  /** `mailto:` or `https:` contact. */
  readonly sub: string;
  readonly iatSec: number;
  readonly expSec: number;
  /** `ep` of the current root; its own for a root. */
  readonly ep: number;
  readonly rt?: string;
  readonly name?: string;
  readonly ver?: string;
  readonly sid?: string;
  readonly seq?: string;
  /** The payload, in clear. */
  readonly data: Uint8Array;
}

export interface StatementOptions extends StatementContent {
  /** The first is the sender, the others are cosigners. */
  readonly signers: readonly [Signer, ...Signer[]];
  /** Seals the payload for this recipient. */
  readonly recipient?: RecipientPublic;
  /** Only for reproducible vectors. */
  readonly fixed?: NonNullable<SealOptions["fixed"]>;
}

/** @returns the envelope.
 *  @throws ParseError KEY, LimitError, UpstreamError SIGNER. */
export async function signStatement(options: StatementOptions): Promise<Uint8Array> {
  return concat(...(await signStatementParts(options)));
}

/** Like `signStatement`, in pieces, of which one is `data` itself: whoever puts a long envelope into something else copies it once.
 *  @throws ParseError KEY, LimitError, UpstreamError SIGNER. */
export async function signStatementParts(options: StatementOptions): Promise<readonly Uint8Array[]> {
  const [sender, ...cosigners] = options.signers;
  if (cosigners.length > COSIGNERS_MAX_COUNT) throw new LimitError(`more than ${COSIGNERS_MAX_COUNT} cosigners`);
  const { claims, data } = prepareStatement(options);
  const claimsJson = encodeClaims(claims);
  const message = signingInputOf(claimsJson);
  const first = await vapidOf(sender, message);
  const others: SignatureOf[] = [];
  // One after the other: a signer may ask a person.
  for (const cosigner of cosigners) others.push(await vapidOf(cosigner, message));
  const contentEncoding = claims.ce === undefined ? 0 : 1;
  return webpushMessageParts({ data, sender: { ...first, data: claimsJson }, cosigners: others, contentEncoding });
}

type SignatureOf = Pick<Vapid, "k" | "tSignature">;

async function vapidOf(signer: Signer, message: Uint8Array): Promise<SignatureOf> {
  const tSignature = await signer.sign(message);
  if (tSignature.length !== SIGNATURE_BYTES) throw new UpstreamError("SIGNER", "a signer did not return 64 bytes");
  return { k: signer.publicKey.subarray(1), tSignature };
}

interface PreparedStatement {
  readonly claims: Claims;
  readonly data: Uint8Array;
}

/** The claims, and `data` as it travels. */
function prepareStatement(options: StatementOptions): PreparedStatement {
  const { use, recipient } = options;
  const aud = audienceOf(options);
  const data = recipient ? sealPayload(options, aud, recipient) : options.data;
  const maxBytes = dataMaxBytesOf(use);
  if (data.length > maxBytes) throw new LimitError(`more than ${maxBytes} bytes of data`);
  const sealed = recipient && { ce: AES128GCM, rcp: keyIdOf(recipient.p256dh) };
  const { iatSec: iat, expSec: exp, sub, ns, ep } = options;
  const digest = { cd: digestOf(data), len: data.length };
  return {
    claims: { aud, exp, iat, sub, dom: DOMAIN, use, ns, ...ownClaims(options), ep, ...digest, ...sealed },
    data,
  };
}

function ownClaims({ rt, name, ver, sid, seq }: StatementContent): Partial<Claims> {
  const claims: { -readonly [name in keyof Claims]?: Claims[name] } = {};
  if (rt !== undefined) claims.rt = rt;
  if (name !== undefined) claims.name = name;
  if (ver !== undefined) claims.ver = ver;
  if (sid !== undefined) claims.sid = sid;
  if (seq !== undefined) claims.seq = seq;
  return claims;
}

function sealPayload(options: StatementOptions, aud: string, recipient: RecipientPublic): Uint8Array {
  const { use, data, signers, fixed } = options;
  const preamble = encodePreamble({ aud, ...ownClaims(options) }, keyIdOf(signers[0].publicKey));
  return sealMessage({ recipient, text: [preamble, data], limits: bodyLimitsOf(use), ...(fixed && { fixed }) });
}
