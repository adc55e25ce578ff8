/**
 * Private keys as text files. A signing key is one PKCS #8 block; a key-exchange key is one too, followed by the block of its
 * auth secret (RFC 8291 section 3.2). OpenSSL reads both. Loading one as the other is refused.
 */
import { ParseError } from "../errors.ts";
import { ExchangeKey } from "./ecdh-p256.ts";
import { SigningKey } from "./ecdsa-p256.ts";
import { AUTH_BYTES } from "./message-encryption.ts";
import { decodePem, encodePem, onlyBlock } from "./pem.ts";
import type { PemBlock } from "./pem.ts";
import { decodePkcs8, encodePkcs8 } from "./pkcs8.ts";
import type { KeyUsage } from "./pkcs8.ts";

const PRIVATE_KEY = "PRIVATE KEY";
const AUTH_SECRET = "WEB PUSH AUTH SECRET";

export interface ExchangeKeyFile {
  readonly key: ExchangeKey;
  /** 16 bytes. */
  readonly auth: Uint8Array;
}

export function encodeSigningKeyPem(key: SigningKey): string {
  return encodePem({ label: PRIVATE_KEY, bytes: encodePkcs8({ usage: "signing", raw: key.exportRaw() }) });
}

/** @throws ParseError PEM, KEY. */
export function decodeSigningKeyPem(text: string): SigningKey {
  return SigningKey.fromRaw(rawKeyOf(decodePem(text), "signing"));
}

export function encodeExchangeKeyPem({ key, auth }: ExchangeKeyFile): string {
  const block = encodePem({ label: PRIVATE_KEY, bytes: encodePkcs8({ usage: "exchange", raw: key.exportRaw() }) });
  return block + encodePem({ label: AUTH_SECRET, bytes: auth });
}

/** @throws ParseError PEM, KEY. */
export function decodeExchangeKeyPem(text: string): ExchangeKeyFile {
  const blocks = decodePem(text);
  const raw = rawKeyOf(blocks, "exchange");
  const auth = onlyBlock(blocks, AUTH_SECRET);
  if (auth.length !== AUTH_BYTES) throw new ParseError("KEY", "an auth secret is not 16 bytes");
  return { key: ExchangeKey.fromRaw(raw), auth };
}

function rawKeyOf(blocks: readonly PemBlock[], wanted: KeyUsage): Uint8Array {
  const { usage, raw } = decodePkcs8(onlyBlock(blocks, PRIVATE_KEY));
  if (usage !== wanted) throw new ParseError("KEY", `a key for ${usage} where a key for ${wanted} is needed`);
  return raw;
}
