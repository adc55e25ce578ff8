/** Wire codecs for the tests. Results are managed memory: `wireResult…` describe the one of the last call. */
import { View } from "../bytes/view";
import { decodeBase64Url, encodeBase64UrlBytes } from "../wire/base64url";
import { isU64 } from "../wire/decimal";
import { Json, JsonKind, parseJson } from "../wire/json";
import { quote } from "../wire/json-writer";
import { isUtf8 } from "../bytes/utf8";
import { setResult, wireResultLength, wireResultPtr } from "./result";

export { wireResultLength, wireResultPtr };

/** Whether the text is strict base64url; the bytes are the result. */
export function wireDecodeBase64Url(ptr: usize, length: i32): bool {
  const bytes = decodeBase64Url(new View(ptr, length));
  setResult(bytes == null ? View.empty() : bytes);
  return bytes != null;
}

export function wireEncodeBase64Url(ptr: usize, length: i32): void {
  setResult(encodeBase64UrlBytes(new View(ptr, length)));
}

export function wireIsUtf8(ptr: usize, length: i32): bool {
  return isUtf8(ptr, length);
}

export function wireIsU64(ptr: usize, length: i32): bool {
  return isU64(new View(ptr, length));
}

/** Whether the text is strict JSON; the same value in one spelling (no white space, shortest escapes) is the result. */
export function wireParseJson(ptr: usize, length: i32, allowNegative: bool): bool {
  const json = parseJson(new View(ptr, length), allowNegative);
  setResult(json == null ? View.empty() : View.utf8(spell(json)));
  return json != null;
}

function spell(json: Json): string {
  switch (json.kind) {
    case JsonKind.Null:
      return "null";
    case JsonKind.Bool:
      return json.bool ? "true" : "false";
    case JsonKind.Integer:
      return json.integer.toString();
    case JsonKind.String:
      return quote(json.text);
    case JsonKind.Array:
      return "[" + json.items.map<string>((item) => spell(item)).join(",") + "]";
    default:
      return "{" + spellMembers(json).join(",") + "}";
  }
}

function spellMembers(object: Json): string[] {
  const members = new Array<string>();
  for (let i = 0; i < object.keys.length; i++) members.push(quote(object.keys[i]) + ":" + spell(object.items[i]));
  return members;
}
