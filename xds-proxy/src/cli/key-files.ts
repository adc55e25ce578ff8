/**
 * Keys on disk. Private ones are created exclusively, mode 0600, and never printed, logged or taken from the command line.
 * Public ones lie beside them: `cfg.pem` and `cfg.pub.pem`, `backend.pem` and `backend.recipient.json`.
 */
import { createPublicKey, randomBytes } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { tryDecodeBase64Url } from "../bytes/base64url.ts";
import { ExchangeKey } from "../crypto/ecdh-p256.ts";
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import {
  decodeExchangeKeyPem,
  decodeSigningKeyPem,
  encodeExchangeKeyPem,
  encodeSigningKeyPem,
  type ExchangeKeyFile,
} from "../crypto/key-files.ts";
import { encodePem } from "../crypto/pem.ts";
import { isValidPublicKey, spkiOf } from "../crypto/p256.ts";
import { keyIdOf } from "../crypto/sha256.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import { ConfigError, ParseError } from "../errors.ts";
import { encodeRecipientFile, parseRecipientFile } from "../owner/recipient.ts";
import type { CliContext } from "./context.ts";
import { createFile, readTextInput } from "./files.ts";
import { Hinted, usageError } from "./failure.ts";
import { warn } from "./ui.ts";

const PRIVATE_MODE = 0o600;
const AUTH_BYTES = 16;

export interface NewKeyOptions {
  /** Absolute, of the private key; ends in `.pem`. */
  readonly path: string;
  /** Replaces keys that are there already. */
  readonly force: boolean;
}

export interface NewKey {
  readonly publicKey: Uint8Array;
  readonly keyId: string;
  readonly publicPath: string;
}

export function createSigningKey({ path, force }: NewKeyOptions): NewKey {
  const key = SigningKey.generate();
  const publicPath = sibling(path, ".pub.pem");
  place({ path, force, content: encodeSigningKeyPem(key), mode: PRIVATE_MODE });
  place({ path: publicPath, force: true, content: encodePem({ label: "PUBLIC KEY", bytes: spkiOf(key.publicKey) }) });
  return { publicKey: key.publicKey, keyId: keyIdOf(key.publicKey), publicPath };
}

/** The public half holds the auth secret too (RFC 8291 section 3.2): it goes to the owners who seal, and to nobody else. */
export function createExchangeKey({ path, force }: NewKeyOptions): NewKey {
  const file: ExchangeKeyFile = { key: ExchangeKey.generate(), auth: randomBytes(AUTH_BYTES) };
  const publicPath = sibling(path, ".recipient.json");
  const { publicKey } = file.key;
  place({ path, force, content: encodeExchangeKeyPem(file), mode: PRIVATE_MODE });
  place({
    path: publicPath,
    force: true,
    content: encodeRecipientFile({ p256dh: publicKey, auth: file.auth }),
    mode: 0o600,
  });
  return { publicKey, keyId: keyIdOf(publicKey), publicPath };
}

export async function loadSigningKey(context: CliContext, path: string): Promise<SigningKey> {
  const text = await readTextInput(context, path);
  warnIfReadableByOthers(context, path);
  return decode(path, "signing", () => decodeSigningKeyPem(text));
}

export async function loadExchangeKey(context: CliContext, path: string): Promise<ExchangeKeyFile> {
  const text = await readTextInput(context, path);
  warnIfReadableByOthers(context, path);
  return decode(path, "key-exchange", () => decodeExchangeKeyPem(text));
}

/** The 65 bytes of a PEM file `PUBLIC KEY`, of a private signing key's file, or of a base64url text. */
export async function loadPublicKey(context: CliContext, path: string): Promise<Uint8Array> {
  const text = (await readTextInput(context, path)).trim();
  const raw = tryDecodeBase64Url(text);
  if (raw !== undefined && isValidPublicKey(raw)) return raw;
  if (text.includes("-----BEGIN PRIVATE KEY-----")) return (await loadSigningKey(context, path)).publicKey;
  return decode(path, "public", () => publicKeyOfPem(text));
}

export async function loadRecipient(context: CliContext, path: string): Promise<RecipientPublic> {
  const text = await readTextInput(context, path);
  return decode(path, "recipient's", () => parseRecipientFile(text));
}

function publicKeyOfPem(text: string): Uint8Array {
  const { x, y, crv } = createPublicKey(text).export({ format: "jwk" });
  if (crv !== "P-256" || x === undefined || y === undefined) throw new ParseError("KEY", "not a P-256 public key");
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
}

function place(file: { path: string; force: boolean; content: string; mode?: number }): void {
  if (file.force) rmSync(file.path, { force: true });
  try {
    createFile(file);
  } catch (error) {
    if (file.force || !(error instanceof ConfigError)) throw error;
    throw new Hinted(error, "a key is never overwritten: choose another name, or give --force if it is used nowhere");
  }
}

function sibling(path: string, ending: string): string {
  if (!path.endsWith(".pem")) throw usageError(path, "a key file's name must end in .pem", "for example: keys/cfg.pem");
  return path.slice(0, -".pem".length) + ending;
}

function decode<T>(path: string, kind: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Hinted(
      new ConfigError([{ path, message: `is not a ${kind} key: ${message}` }]),
      "make one with wpgate keygen; a key either signs or decrypts, never both",
    );
  }
}

function warnIfReadableByOthers(context: CliContext, path: string): void {
  const { mode } = statSync(resolve(context.cwd, path), { throwIfNoEntry: false }) ?? { mode: 0 };
  if ((mode & 0o077) !== 0) warn(context, `${path} can be read by others; run chmod 600 ${path}`);
}
