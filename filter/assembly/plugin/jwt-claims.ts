// Claims of the verified JWT, from the request's dynamic metadata (envoy.config.core.v3.Metadata) as protobuf bytes: the
// only form of it in which a host tells a string from a number.
//
//   filter_metadata["envoy.filters.http.jwt_authn"]["payload"][path…]
import { View } from "../bytes/view";
import { Claim } from "../policy/types";
import { Fields } from "./proto-fields";

const FILTER = View.utf8("envoy.filters.http.jwt_authn");
const PAYLOAD = View.utf8("payload");

// Field numbers: Metadata.filter_metadata and Struct.fields are maps, whose entries are messages of key and value.
const MAP: i32 = 1;
const KEY: i32 = 1;
const VALUE: i32 = 2;
// google.protobuf.Value
const STRING: i32 = 3;
const STRUCT: i32 = 5;
const LIST: i32 = 6;
// google.protobuf.ListValue
const ITEM: i32 = 1;

/** The claim at `path`, one member name a level; null when there is none, or it is neither a string nor an array. */
export function findClaim(metadata: View, path: View[]): Claim | null {
  let value = member(member(metadata, FILTER), PAYLOAD);
  for (let i = 0; i < path.length; i++) value = member(last(value, STRUCT), path[i]);
  return value == null ? null : readValue(value);
}

function readValue(value: View): Claim | null {
  const text = last(value, STRING);
  if (text != null) return new Claim(false, [text]);
  const list = last(value, LIST);
  return list == null ? null : new Claim(true, strings(list));
}

function strings(list: View): View[] {
  const texts: View[] = [];
  const items = new Fields(list);
  for (let item = items.next(); item != null; item = items.next()) {
    if (item.number != ITEM) continue;
    const text = last(item.bytes, STRING);
    if (text != null) texts.push(text);
  }
  return texts;
}

/** The value under `key` of the map that is field 1 of `message`; nothing in nothing. */
function member(message: View | null, key: View): View | null {
  if (message == null) return null;
  let found: View | null = null;
  const entries = new Fields(message);
  for (let entry = entries.next(); entry != null; entry = entries.next()) {
    if (entry.number != MAP) continue;
    const name = last(entry.bytes, KEY);
    if (name != null && name.equals(key)) found = last(entry.bytes, VALUE);
  }
  return found;
}

/** The last occurrence of a length-delimited field, as protobuf wants it; nothing in nothing. */
function last(message: View | null, number: i32): View | null {
  if (message == null) return null;
  let found: View | null = null;
  const fields = new Fields(message);
  for (let field = fields.next(); field != null; field = fields.next()) {
    if (field.number == number && field.isBytes) found = field.bytes;
  }
  return found;
}
