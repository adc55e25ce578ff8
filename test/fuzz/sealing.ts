/** A body as RFC 8291 makes one, of any plaintext of its record: delimiter and padding are the caller's. */
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { seal } from "../../xds-proxy/src/crypto/aes-gcm.ts";
import { hkdfExpand, hkdfExtract } from "../../xds-proxy/src/crypto/hkdf.ts";
import { fixedBytes, senderKey } from "../corpus/keys.ts";
import type { Reader } from "../corpus/keys.ts";

const SALT = fixedBytes("salt of fuzzing").subarray(0, 16);
const keysOf = new WeakMap<Reader, { readonly key: Uint8Array; readonly nonce: Uint8Array }>();

export function sealRecord(plaintext: Uint8Array, recipient: Reader): Uint8Array {
  const sender = senderKey("fuzzing");
  const { key, nonce } = keysOf.get(recipient) ?? derive(recipient);
  const record = concat(...seal(key, nonce, plaintext));
  const recordSize = Buffer.alloc(4);
  recordSize.writeUInt32BE(record.length + 1);
  return concat(SALT, recordSize, Uint8Array.of(sender.publicKey.length), sender.publicKey, record);
}

function derive(recipient: Reader): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const sender = senderKey("fuzzing");
  const info = concat(utf8("WebPush: info\0"), recipient.p256dh, sender.publicKey);
  const ikm = hkdfExpand(hkdfExtract(recipient.auth, sender.sharedSecret(recipient.p256dh)), info, 32);
  const prk = hkdfExtract(SALT, ikm);
  const keys = {
    key: hkdfExpand(prk, utf8("Content-Encoding: aes128gcm\0"), 16),
    nonce: hkdfExpand(prk, utf8("Content-Encoding: nonce\0"), 12),
  };
  keysOf.set(recipient, keys);
  return keys;
}
