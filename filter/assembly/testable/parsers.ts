/** Single parsers on raw bytes, for fuzzing. What one has read is the wire result (`wireResultPtr`), spelled as JSON where it is
 *  no text of its own. */
import { View } from "../bytes/view";
import { readClaims } from "../envelope/claims";
import { decrypt } from "../envelope/decrypt";
import { Envelope, readEnvelope } from "../envelope/envelope";
import { parseFresh } from "../envelope/fresh-document";
import { parseRoot } from "../envelope/root-document";
import { parseSet } from "../envelope/set-document";
import { Recipient } from "../envelope/types";
import { Use } from "../envelope/use";
import { parseConfiguration } from "../plugin/configuration";
import { encodeBase64UrlBytes } from "../wire/base64url";
import { setResult } from "./result";

const PRIVATE_KEY_BYTES = 32;
const PUBLIC_KEY_BYTES = 65;
const AUTH_BYTES = 16;
const SIGNER_BYTES = 64;

/** Code of reading the text of an envelope for a use; the result is what later steps look at. */
export function parseEnvelopeText(ptr: usize, length: i32, use: i32): i32 {
  const read = readEnvelope(new View(ptr, length), use);
  const envelope = read.envelope;
  setResult(envelope == null ? View.empty() : View.utf8(spellEnvelope(envelope)));
  return read.code;
}

/** Code of reading claims for a use. */
export function parseClaimsText(ptr: usize, length: i32, use: i32): i32 {
  return readClaims(new View(ptr, length), use).code;
}

/** Whether the bytes are the document of a root, a set or a fresh. */
export function parseDocument(ptr: usize, length: i32, use: i32): bool {
  const data = new View(ptr, length);
  switch (use) {
    case Use.Root:
      return parseRoot(data) != null;
    case Use.Set:
      return parseSet(data) != null;
    default:
      return parseFresh(data) != null;
  }
}

/** Whether the text is a plugin configuration; the result is a JSON array of its sets, each with the fresh that counts. */
export function parseConfigurationText(ptr: usize, length: i32): bool {
  const sets = parseConfiguration(new View(ptr, length));
  const texts: string[] = sets == null ? [] : sets.map<string>((set) => set.text.toString());
  setResult(View.utf8(`[${texts.join(",")}]`));
  return sets != null;
}

/** Opens a sealed body. `keys`: private key, public key and auth secret of the recipient, then the signer's key without its 04.
 *  The result is the text. */
export function openSealedBody(ptr: usize, length: i32, keys: usize): bool {
  const publicKey = keys + PRIVATE_KEY_BYTES;
  const auth = publicKey + PUBLIC_KEY_BYTES;
  const recipient = new Recipient(
    new View(keys, PRIVATE_KEY_BYTES),
    new View(publicKey, PUBLIC_KEY_BYTES),
    new View(auth, AUTH_BYTES),
  );
  const text = decrypt(new View(ptr, length), recipient, new View(auth + AUTH_BYTES, SIGNER_BYTES));
  setResult(text == null ? View.empty() : text);
  return text != null;
}

function spellEnvelope(envelope: Envelope): string {
  const signers = envelope.signers.map<string>(
    (signer) => `[${spellBytes(signer.k)},${spellBytes(signer.claims)},${spellBytes(signer.signature)}]`,
  );
  return `[${spellBytes(envelope.data)},${envelope.contentEncoding},${signers.join(",")}]`;
}

function spellBytes(bytes: View): string {
  return `"${encodeBase64UrlBytes(bytes).toString()}"`;
}
