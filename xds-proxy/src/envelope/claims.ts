/**
 * The claims of a statement (docs/envelope.md section 3): JWT claims of a VAPID token (RFC 8292) with wpgate's own beside
 * them. Writing is in one order and without white space; reading is strict (section 6, step 4).
 */
import { tryDecodeBase64Url } from "../bytes/base64url.ts";
import { isU64Text } from "../bytes/decimal.ts";
import { asInteger, asObject, asString, member, wrong } from "../bytes/json-shape.ts";
import { parseStrictJson } from "../bytes/json.ts";
import type { JsonObject } from "../bytes/json.ts";
import { utf8 } from "../bytes/octets.ts";
import { parsing, refuse } from "./refusal.ts";
import { USES } from "./types.ts";
import type { Use } from "./types.ts";

export const DOMAIN = "wpgate/1";
export const AES128GCM = "aes128gcm";
const SESSION_BYTES = 16;

/** Claims whose form was checked; nothing of them is true before the signature was. */
export interface Claims {
  readonly aud: string;
  readonly exp: number;
  readonly iat: number;
  readonly sub: string;
  readonly dom: string;
  readonly use: string;
  readonly ns: string;
  readonly rt?: string;
  readonly name?: string;
  readonly ver?: string;
  readonly sid?: string;
  readonly seq?: string;
  readonly ep: number;
  readonly cd: string;
  readonly len: number;
  readonly ce?: string;
  readonly rcp?: string;
}

export type ClaimName = keyof Claims;

/** In the order of writing. */
export const CLAIM_NAMES: readonly ClaimName[] = [
  "aud",
  "exp",
  "iat",
  "sub",
  "dom",
  "use",
  "ns",
  "rt",
  "name",
  "ver",
  "sid",
  "seq",
  "ep",
  "cd",
  "len",
  "ce",
  "rcp",
];
const COMMON: readonly ClaimName[] = ["aud", "exp", "iat", "sub", "dom", "use", "ns", "ep", "cd", "len"];

const KNOWN: ReadonlySet<string> = new Set(CLAIM_NAMES);

/** Exactly the claims of a use, plain or encrypted; the latter only where there is encryption. */
interface UseRow {
  readonly plain: ReadonlySet<ClaimName>;
  readonly encrypted?: ReadonlySet<ClaimName>;
}

function useRow(own: readonly ClaimName[], encryptable: boolean): UseRow {
  const plain = new Set([...COMMON, ...own]);
  return encryptable ? { plain, encrypted: new Set([...plain, "ce", "rcp"] as const) } : { plain };
}

const USE_ROWS: Readonly<Record<Use, UseRow>> = {
  root: useRow([], false),
  cfg: useRow(["rt", "name", "ver"], true),
  set: useRow(["ver"], false),
  fresh: useRow(["ver"], false),
  push: useRow(["rt", "name", "sid", "seq"], true),
  msg: useRow(["rt", "name", "ver"], true),
};

/** In the order of `CLAIM_NAMES`; what is absent is left out. */
export function encodeClaims(claims: Claims): Uint8Array {
  const { aud, exp, iat, sub, dom, use, ns, rt, name, ver, sid, seq, ep, cd, len, ce, rcp } = claims;
  return utf8(JSON.stringify({ aud, exp, iat, sub, dom, use, ns, rt, name, ver, sid, seq, ep, cd, len, ce, rcp }));
}

/** Step 4 of section 6.
 *  @throws VerifyError CLAIMS, DOMAIN, USE. */
export function parseClaims(bytes: Uint8Array, wantedUse: Use): Claims {
  const claims = parsing("CLAIMS", () => readClaims(bytes));
  if (claims.dom !== DOMAIN) refuse("DOMAIN", "dom is not wpgate/1");
  const use = USES.find((name) => name === claims.use);
  if (use === undefined || use !== wantedUse) refuse("USE", `use is not ${wantedUse}`);
  // A message is signed by its sender's identity key, which no root names.
  if (use === "msg") refuse("USE", "msg is not verified under a root");
  assertClaimsOfUse(claims, USE_ROWS[use]);
  return claims;
}

/** The claims in their JSON types, whatever their use.
 *  @throws ParseError JSON, DOCUMENT. */
export function readClaims(bytes: Uint8Array): Claims {
  const object = asObject({ value: parseStrictJson(bytes, { allowNegative: false }), path: "" });
  for (const name of object.keys()) {
    if (!KNOWN.has(name)) wrong(name, "a known claim");
  }
  const claims = {
    aud: textOf(object, "aud"),
    exp: integerOf(object, "exp"),
    iat: integerOf(object, "iat"),
    sub: textOf(object, "sub", isContact),
    dom: textOf(object, "dom"),
    use: textOf(object, "use"),
    ns: textOf(object, "ns"),
    ...optionalTextOf(object, "rt"),
    ...optionalTextOf(object, "name"),
    ...optionalTextOf(object, "ver", isU64Text),
    ...optionalTextOf(object, "sid", isSession),
    ...optionalTextOf(object, "seq", isSequence),
    ep: integerOf(object, "ep"),
    cd: textOf(object, "cd"),
    len: integerOf(object, "len"),
    ...optionalTextOf(object, "ce"),
    ...optionalTextOf(object, "rcp"),
  };
  if (claims.exp <= claims.iat) wrong("exp", "after iat");
  return claims;
}

function assertClaimsOfUse(claims: Claims, { plain, encrypted }: UseRow): void {
  const allowed = claims.ce === undefined && claims.rcp === undefined ? plain : (encrypted ?? plain);
  for (const name of CLAIM_NAMES) {
    const present = claims[name] !== undefined;
    if (present !== allowed.has(name)) refuse("CLAIMS", `${name} is ${present ? "not a claim" : "missing"} here`);
  }
}

function textOf(object: JsonObject, name: ClaimName, test: (text: string) => boolean = () => true): string {
  const text = asString(member(object, name, ""));
  return test(text) ? text : wrong(name, "in its form");
}

function optionalTextOf<N extends ClaimName>(
  object: JsonObject,
  name: N,
  test?: (text: string) => boolean,
): Partial<Record<N, string>> {
  return object.has(name) ? ({ [name]: textOf(object, name, test) } as Record<N, string>) : {};
}

function integerOf(object: JsonObject, name: ClaimName): number {
  return asInteger(member(object, name, ""));
}

function isContact(sub: string): boolean {
  return sub.startsWith("mailto:") || sub.startsWith("https:");
}

function isSession(sid: string): boolean {
  return sid === "" || tryDecodeBase64Url(sid)?.length === SESSION_BYTES;
}

function isSequence(seq: string): boolean {
  return isU64Text(seq) && seq !== "0";
}
