/** A workload's key-exchange key in the forms in which others get it: a public file for those who seal, a variable for its filter. */
import { encodeBase64Url, tryDecodeBase64Url } from "../bytes/base64url.ts";
import { concat } from "../bytes/octets.ts";
import { isRecord } from "../bytes/record.ts";
import type { ExchangeKeyFile } from "../crypto/key-files.ts";
import { assertPublicKey } from "../crypto/p256.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import { ParseError } from "../errors.ts";

/** Where the filter looks for the private key and auth secret that policies are sealed for. */
export const RECIPIENT_VARIABLE = "WPGATE_RECIPIENT";

const AUTH_BYTES = 16;

/** The value of `RECIPIENT_VARIABLE`. */
export function encodeRecipientVariable({ key, auth }: ExchangeKeyFile): string {
  return encodeBase64Url(concat(key.exportRaw(), auth));
}

/** `*.recipient.json`. */
export function encodeRecipientFile({ p256dh, auth }: RecipientPublic): string {
  return `${JSON.stringify({ p256dh: encodeBase64Url(p256dh), auth: encodeBase64Url(auth) }, null, 2)}\n`;
}

/** Our own file, or a push subscription (`{"keys":{"p256dh":…,"auth":…}}`).
 *  @throws ParseError KEY; SyntaxError where it is not JSON */
export function parseRecipientFile(text: string): RecipientPublic {
  const outer = record(JSON.parse(text));
  const keys = outer["keys"] === undefined ? outer : record(outer["keys"]);
  const bytes = (name: string): Uint8Array => {
    const value = keys[name];
    const decoded = typeof value === "string" ? tryDecodeBase64Url(value) : undefined;
    if (decoded === undefined) throw new ParseError("KEY", `${name} is not base64url`);
    return decoded;
  };
  const recipient = { p256dh: bytes("p256dh"), auth: bytes("auth") };
  assertPublicKey(recipient.p256dh);
  if (recipient.auth.length !== AUTH_BYTES) throw new ParseError("KEY", "an auth secret is not 16 bytes");
  return recipient;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new ParseError("KEY", "not an object");
  return value;
}
