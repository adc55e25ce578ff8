/** Sealed payloads (docs/envelope.md section 4): one `aes128gcm` record of RFC 8188 made as RFC 8291 says, and the preamble
 *  that ties it to its claims. Not implemented: several records. Timing: constant in keys and contents up to the padding,
 *  which is public once the tag has been checked; variable in the length. Intermediate keys are wiped. */
import { concat } from "../bytes/concat";
import { loadBe32 } from "../bytes/endian";
import { View } from "../bytes/view";
import { wipe } from "../bytes/wipe";
import { aes128GcmOpen } from "../crypto/aes-gcm";
import { ecdh } from "../crypto/ecdh";
import { hkdfSha256 } from "../crypto/hkdf";
import { isValidPublicKey } from "../crypto/p256-point";
import { RECORD_SIZE_MAX_BYTES } from "../gen/limits";
import { Json, parseJson } from "../wire/json";
import { Claim, Claims } from "./claims";
import { keyId } from "./digest";
import { hasExactly, textMember } from "./members";
import { Recipient } from "./types";

// salt (16) | rs (4, big-endian) | idlen (1) = 65 | keyid (65) | record: ciphertext, tag (16)
const SALT_BYTES = 16;
const RECORD_SIZE_AT = 16;
const KEY_ID_LENGTH_AT = 20;
const KEY_ID_AT = 21;
const RECORD_AT = 86;
const PUBLIC_KEY_BYTES = 65;
const TAG_BYTES = 16;
const RECORD_MIN_BYTES = TAG_BYTES + 1;
const LAST_RECORD_DELIMITER = 0x02;
const LINE_FEED: u8 = 0x0a;

const KEY_INFO = View.utf8("WebPush: info\0");
const CEK_INFO = View.utf8("Content-Encoding: aes128gcm\0");
const NONCE_INFO = View.utf8("Content-Encoding: nonce\0");
const POINT_PREFIX = View.utf8("\x04");

/** The decrypted text without padding, in a fresh buffer; null, DECRYPT, whatever the cause.
 *  @param signerK 64 bytes: the key that signed, which must not be the ephemeral one */
export function decrypt(body: View, recipient: Recipient, signerK: View): View | null {
  const recordLength = body.length - RECORD_AT;
  if (recordLength < RECORD_MIN_BYTES || body.at(KEY_ID_LENGTH_AT) != PUBLIC_KEY_BYTES) return null;
  const recordSize = loadBe32(body.ptr + RECORD_SIZE_AT);
  if (recordSize <= <u32>recordLength || recordSize > <u32>RECORD_SIZE_MAX_BYTES) return null;
  const senderKey = body.slice(KEY_ID_AT, RECORD_AT);
  if (!isValidPublicKey(senderKey.ptr) || senderKey.slice(1, PUBLIC_KEY_BYTES).equals(signerK)) return null;
  const keys = new RecordKeys();
  const plaintext = new Uint8Array(recordLength - TAG_BYTES);
  const opened =
    keys.derive(recipient, senderKey, body.slice(0, SALT_BYTES)) &&
    aes128GcmOpen(
      keys.cek.dataStart,
      keys.nonce.dataStart,
      0,
      0,
      body.ptr + RECORD_AT,
      recordLength,
      plaintext.dataStart,
    );
  keys.wipe();
  const text = opened ? withoutPadding(View.of(plaintext)) : null;
  if (text == null) wipe(plaintext.dataStart, plaintext.length);
  return text;
}

@final
class RecordKeys {
  readonly cek: Uint8Array = new Uint8Array(16);
  /** Record 0: nothing is added to the derived nonce. */
  readonly nonce: Uint8Array = new Uint8Array(12);
  private readonly sharedSecret: Uint8Array = new Uint8Array(32);
  private readonly ikm: Uint8Array = new Uint8Array(32);

  /** RFC 8291 section 3.4, RFC 8188 section 2.2 and 2.3. */
  derive(recipient: Recipient, senderKey: View, salt: View): bool {
    if (!ecdh(recipient.privateKey.ptr, senderKey.ptr, this.sharedSecret.dataStart)) return false;
    const info = concat([KEY_INFO, recipient.publicKey, senderKey]);
    hkdf(recipient.auth, View.of(this.sharedSecret), info, this.ikm);
    const ikm = View.of(this.ikm);
    hkdf(salt, ikm, CEK_INFO, this.cek);
    hkdf(salt, ikm, NONCE_INFO, this.nonce);
    return true;
  }

  wipe(): void {
    wipe(this.sharedSecret.dataStart, this.sharedSecret.length);
    wipe(this.ikm.dataStart, this.ikm.length);
    wipe(this.cek.dataStart, this.cek.length);
    wipe(this.nonce.dataStart, this.nonce.length);
  }
}

function hkdf(salt: View, ikm: View, info: View, out: Uint8Array): void {
  hkdfSha256(salt.ptr, salt.length, ikm.ptr, ikm.length, info.ptr, info.length, out.dataStart, out.length);
}

/** What lies before the delimiter that any number of zero bytes follows. */
function withoutPadding(text: View): View | null {
  let end = text.length;
  while (end > 0 && text.at(end - 1) == 0) end--;
  return end > 0 && text.at(end - 1) == LAST_RECORD_DELIMITER ? text.slice(0, end - 1) : null;
}

/** The payload behind the preamble; null, INNER_MISMATCH, when the preamble is not that of these claims and this signer. */
export function withoutPreamble(text: View, claims: Claims, signerK: View): View | null {
  const lineEnd = text.indexOf(LINE_FEED);
  if (lineEnd < 0) return null;
  const json = parseJson(text.slice(0, lineEnd), false);
  if (json == null || !hasExactly(json, ["aud", "rt", "name", "ver", "kid"])) return null;
  const ver = claims.text(claims.has(Claim.Seq) ? Claim.Seq : Claim.Ver);
  const matches =
    hasText(json, "aud", claims.text(Claim.Aud)) &&
    hasText(json, "rt", claims.text(Claim.Rt)) &&
    hasText(json, "name", claims.text(Claim.Name)) &&
    hasText(json, "ver", ver) &&
    hasText(json, "kid", keyId(concat([POINT_PREFIX, signerK])));
  return matches ? text.slice(lineEnd + 1, text.length) : null;
}

function hasText(json: Json, name: string, expected: View): bool {
  const text = textMember(json, name);
  return text != null && text.equals(expected);
}
