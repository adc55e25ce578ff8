// The `key` of a `when`: a plain name, or a name with members in brackets.
import { View } from "../bytes/view";
import { equalsAscii } from "../wire/ascii";
import { Faults } from "./faults";
import { UNSUPPORTED_KEY, UNSUPPORTED_KEY_PREFIX, WHEN_KEYS } from "./fields";
import { Condition, Field } from "./policy";

const HEADERS = View.utf8("request.headers");
const CLAIMS = View.utf8("request.auth.claims");
const EXPERIMENTAL = View.utf8(UNSUPPORTED_KEY_PREFIX);
const COLON: u8 = 0x3a;

/** An empty condition on what the key names; null, and a fault, for a key that is not known or not supported. */
export function readWhenKey(key: View, where: string, faults: Faults): Condition | null {
  for (let i = 0; i < WHEN_KEYS.length; i++) {
    if (equalsAscii(key, WHEN_KEYS[i].key)) return new Condition(WHEN_KEYS[i].field, []);
  }
  if (key.startsWith(HEADERS)) {
    const names = members(key, HEADERS.length);
    if (names !== null && names.length == 1 && isHeaderName(names[0])) return new Condition(Field.Header, names);
  } else if (key.startsWith(CLAIMS)) {
    const names = members(key, CLAIMS.length);
    if (names !== null) return new Condition(Field.ClaimPath, names);
  } else if (key.startsWith(EXPERIMENTAL) || equalsAscii(key, UNSUPPORTED_KEY)) {
    faults.unsupported(where);
    return null;
  }
  faults.payload(where);
  return null;
}

/** `[a][b]…` from `start` on: at least one name, none empty, none with a bracket in it. */
function members(key: View, start: i32): View[] | null {
  const names: View[] = [];
  let position = start;
  while (position < key.length) {
    if (key.at(position) != 0x5b) return null;
    const close = key.indexOf(0x5d, position);
    const open = key.indexOf(0x5b, position + 1);
    if (close <= position + 1 || (open >= 0 && open < close)) return null;
    names.push(key.slice(position + 1, close));
    position = close + 1;
  }
  return names.length > 0 ? names : null;
}

/** A token of RFC 9110, or a pseudo-header. */
function isHeaderName(name: View): bool {
  const start = name.at(0) == COLON ? 1 : 0;
  for (let i = start; i < name.length; i++) if (!isTokenByte(name.at(i))) return false;
  return name.length > start;
}

function isTokenByte(byte: u8): bool {
  const letter = byte | 0x20;
  if ((letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39)) return true;
  switch (byte) {
    case 0x21: // !
    case 0x2a: // *
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x5e: // ^
    case 0x5f: // _
    case 0x60: // `
    case 0x7c: // |
    case 0x7e: // ~
      return true;
    default:
      return byte >= 0x23 && byte <= 0x27; // # $ % & '
  }
}
