/**
 * The line in front of an encrypted payload (docs/envelope.md section 4). It says inside the encryption what the claims and
 * the signature say outside, so that nobody can put their own signature on a body that somebody else encrypted.
 */
import { asString, exactly, member } from "../bytes/json-shape.ts";
import { parseStrictJson } from "../bytes/json.ts";
import { utf8 } from "../bytes/octets.ts";
import type { Claims } from "./claims.ts";
import { parsing, refuse } from "./refusal.ts";

const LF = 0x0a;
const MEMBERS = ["aud", "rt", "name", "ver", "kid"] as const;

type Preamble = Readonly<Record<(typeof MEMBERS)[number], string>>;

/** The claims that a preamble repeats. */
export type RepeatedClaims = Pick<Claims, "aud" | "rt" | "name" | "ver" | "seq">;

/** @param kid - key id of the key that signs */
export function encodePreamble(claims: RepeatedClaims, kid: string): Uint8Array {
  return utf8(`${JSON.stringify(expectedPreamble(claims, kid))}\n`);
}

/** Takes the preamble off a decrypted text.
 *  @throws VerifyError INNER_MISMATCH unless it says what claims and signer say. */
export function takePreamble(text: Uint8Array, claims: Claims, kid: string): Uint8Array {
  const end = text.indexOf(LF);
  if (end < 0) refuse("INNER_MISMATCH", "no preamble");
  const object = parsing("INNER_MISMATCH", () =>
    exactly({ value: parseStrictJson(text.subarray(0, end), { allowNegative: false }), path: "" }, MEMBERS),
  );
  const expected = expectedPreamble(claims, kid);
  for (const name of MEMBERS) {
    const actual = parsing("INNER_MISMATCH", () => asString(member(object, name, "")));
    if (actual !== expected[name]) refuse("INNER_MISMATCH", `the preamble names another ${name}`);
  }
  return text.subarray(end + 1);
}

function expectedPreamble({ aud, rt = "", name = "", ver, seq }: RepeatedClaims, kid: string): Preamble {
  return { aud, rt, name, ver: ver ?? seq ?? "", kid };
}
