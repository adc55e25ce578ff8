/** The claims of a statement (docs/envelope.md section 3, step 4 of section 6). */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { equalsAscii } from "../wire/ascii";
import { decodeBase64Url } from "../wire/base64url";
import { isU64 } from "../wire/decimal";
import { Json, JsonKind, parseJson } from "../wire/json";
import { Use, parseUse } from "./use";

export enum Claim {
  Aud = 0,
  Exp = 1,
  Iat = 2,
  Sub = 3,
  Dom = 4,
  Use = 5,
  Ns = 6,
  Rt = 7,
  Name = 8,
  Ver = 9,
  Sid = 10,
  Seq = 11,
  Ep = 12,
  Cd = 13,
  Len = 14,
  Ce = 15,
  Rcp = 16,
}

/** In the order of the enum. */
// prettier-ignore
const NAMES: string[] = [
  "aud", "exp", "iat", "sub", "dom", "use", "ns", "rt", "name", "ver", "sid", "seq", "ep", "cd", "len", "ce", "rcp",
];

const DOMAIN = "wpgate/1";
const SESSION_NONCE_BYTES = 16;

const INTEGERS: u32 = bit(Claim.Exp) | bit(Claim.Iat) | bit(Claim.Ep) | bit(Claim.Len);
const SEALING: u32 = bit(Claim.Ce) | bit(Claim.Rcp);
const COMMON: u32 =
  INTEGERS | bit(Claim.Aud) | bit(Claim.Sub) | bit(Claim.Dom) | bit(Claim.Use) | bit(Claim.Ns) | bit(Claim.Cd);

@final
export class Claims {
  private readonly values: (Json | null)[] = new Array<Json | null>(NAMES.length);
  /** Bit n: claim n is there. */
  present: u32 = 0;

  has(claim: Claim): bool {
    return (this.present & bit(claim)) != 0;
  }

  /** A string claim; empty when it is absent. */
  text(claim: Claim): View {
    const value = this.values[claim];
    return value == null ? View.empty() : value.text;
  }

  /** An integer claim; 0 when it is absent. */
  integer(claim: Claim): i64 {
    const value = this.values[claim];
    return value == null ? 0 : value.integer;
  }

  isSealed(): bool {
    return this.has(Claim.Ce);
  }

  /** False when the name is unknown or the value not of its type. */
  add(name: View, value: Json): bool {
    const claim = claimOf(name);
    if (claim < 0) return false;
    const kind = (INTEGERS & bit(claim)) != 0 ? JsonKind.Integer : JsonKind.String;
    this.present |= bit(claim);
    this.values[claim] = value;
    return value.kind == kind;
  }
}

@final
export class ClaimsResult {
  constructor(
    readonly code: Code,
    /** Null unless `code` is OK. */
    readonly claims: Claims | null,
  ) {}
}

/** CLAIMS, DOMAIN, USE. */
export function readClaims(text: View, wanted: Use): ClaimsResult {
  const claims = parseClaims(text);
  if (claims == null || !isWellFormed(claims)) return refused(Code.CLAIMS);
  if (!equalsAscii(claims.text(Claim.Dom), DOMAIN)) return refused(Code.DOMAIN);
  if (wanted == Use.None || wanted == Use.Msg || parseUse(claims.text(Claim.Use)) != wanted) return refused(Code.USE);
  const sealed = sealable(wanted) && claims.isSealed() ? SEALING : 0;
  return claims.present == (COMMON | own(wanted) | sealed) ? new ClaimsResult(Code.OK, claims) : refused(Code.CLAIMS);
}

function refused(code: Code): ClaimsResult {
  return new ClaimsResult(code, null);
}

function parseClaims(text: View): Claims | null {
  const json = parseJson(text, false);
  if (json == null || json.kind != JsonKind.Object) return null;
  const claims = new Claims();
  for (let i = 0; i < json.keys.length; i++) if (!claims.add(json.keys[i], json.items[i])) return null;
  return claims;
}

function isWellFormed(claims: Claims): bool {
  if ((claims.present & COMMON) != COMMON) return false;
  if (claims.has(Claim.Ver) && !isU64(claims.text(Claim.Ver))) return false;
  if (claims.has(Claim.Seq) && !isSequence(claims.text(Claim.Seq))) return false;
  if (claims.has(Claim.Sid) && !isSession(claims.text(Claim.Sid))) return false;
  return isContact(claims.text(Claim.Sub)) && claims.integer(Claim.Exp) > claims.integer(Claim.Iat);
}

function isSequence(text: View): bool {
  return isU64(text) && !equalsAscii(text, "0");
}

function isSession(text: View): bool {
  if (text.length == 0) return true;
  const nonce = decodeBase64Url(text);
  return nonce != null && nonce.length == SESSION_NONCE_BYTES;
}

function isContact(text: View): bool {
  return beginsWith(text, "mailto:") || beginsWith(text, "https:");
}

function beginsWith(text: View, prefix: string): bool {
  return text.length >= prefix.length && equalsAscii(text.slice(0, prefix.length), prefix);
}

/** Claims that a use has beyond the common ones. */
function own(use: Use): u32 {
  switch (use) {
    case Use.Cfg:
    case Use.Msg:
      return bit(Claim.Rt) | bit(Claim.Name) | bit(Claim.Ver);
    case Use.Set:
    case Use.Fresh:
      return bit(Claim.Ver);
    case Use.Push:
      return bit(Claim.Rt) | bit(Claim.Name) | bit(Claim.Sid) | bit(Claim.Seq);
    default:
      return 0;
  }
}

function sealable(use: Use): bool {
  return use == Use.Cfg || use == Use.Push || use == Use.Msg;
}

function claimOf(name: View): i32 {
  for (let i = 0; i < NAMES.length; i++) if (equalsAscii(name, NAMES[i])) return i;
  return -1;
}

function bit(claim: i32): u32 {
  return 1 << claim;
}
