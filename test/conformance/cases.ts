/** What suites consist of, whatever file they come from. */

export interface Ecdsa {
  readonly kind: "ecdsa";
  readonly encoding: "der" | "p1363";
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Ecdh {
  readonly kind: "ecdh";
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
}

export interface AesGcm {
  readonly kind: "aes-gcm";
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

export interface Hkdf {
  readonly kind: "hkdf";
  readonly salt: Uint8Array;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
  readonly sizeBytes: number;
}

export interface Hmac {
  readonly kind: "hmac";
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  /** The tag to compare with, which may be truncated. */
  readonly tag: Uint8Array;
}

export type Operation = Ecdsa | Ecdh | AesGcm | Hkdf | Hmac;

/** What an implementation made of an operation: accepted (with what came out, if anything does), refused, or not asked
 *  because the operation is outside its profile. */
export type Verdict =
  { readonly accepted: true; readonly output?: Uint8Array } | { readonly accepted: false } | undefined;

export const REFUSED: Verdict = { accepted: false };
export const ACCEPTED: Verdict = { accepted: true };
export const OUT_OF_PROFILE: Verdict = undefined;

export interface Case {
  readonly id: number | string;
  /** Undefined: outside the profile of every implementation. */
  readonly operation: Operation | undefined;
  readonly expected: "valid" | "invalid" | "acceptable";
  readonly output?: Uint8Array;
}

/** The verdict an implementation may give on a case. `acceptable` marks what lenient implementations let through: it may be
 *  refused, but not accepted with another output. */
export function agrees({ expected, output }: Case, verdict: NonNullable<Verdict>): boolean {
  const right =
    verdict.accepted &&
    (output === undefined || (verdict.output !== undefined && Buffer.compare(output, verdict.output) === 0));
  if (expected === "acceptable") return right || !verdict.accepted;
  return expected === "valid" ? right : !verdict.accepted;
}
