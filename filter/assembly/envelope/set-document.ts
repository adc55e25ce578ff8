/** The payload of a set (docs/envelope.md section 5): the complete list of a namespace's objects. Everything in it is in
 *  strictly ascending order, so looking up is a binary search. */
import { View } from "../bytes/view";
import { SET_ENTRIES_MAX_COUNT } from "../gen/limits";
import { isU64 } from "../wire/decimal";
import { Json, JsonKind, parseJson } from "../wire/json";
import { isKeyId, parseDigest } from "./digest";
import { arrayMember, hasExactly, textMember } from "./members";

/** One form of an object: the plain one, or the one sealed for a recipient. */
@final
export class SetItem {
  /** Whether a statement that is this item was seen. */
  seen: bool = false;

  constructor(
    /** b64u-digest */
    readonly cd: View,
    /** Key id of the recipient; empty for the plain form. */
    readonly rcp: View,
  ) {}
}

@final
export class SetEntry {
  items: SetItem[] = [];

  constructor(
    readonly rt: View,
    readonly name: View,
    readonly ver: View,
  ) {}

  /** The item for a recipient, or with an empty `rcp` the plain one. */
  item(rcp: View): SetItem | null {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.items[middle].rcp.compare(rcp) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.items.length && this.items[low].rcp.equals(rcp) ? this.items[low] : null;
  }
}

@final
export class SetDocument {
  rcps: View[] = [];
  entries: SetEntry[] = [];

  hasRecipient(id: View): bool {
    let low = 0;
    let high = this.rcps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rcps[middle].compare(id) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.rcps.length && this.rcps[low].equals(id);
  }

  entry(rt: View, name: View): SetEntry | null {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(this.entries[middle], rt, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.entries.length && order(this.entries[low], rt, name) == 0 ? this.entries[low] : null;
  }
}

/** The strict form of a set's `data`, or null. */
export function parseSet(data: View): SetDocument | null {
  const json = parseJson(data, false);
  if (json == null || !hasExactly(json, ["kind", "rcps", "entries"]) || !isKind(json)) return null;
  const set = new SetDocument();
  const rcps = arrayMember(json, "rcps");
  const entries = arrayMember(json, "entries", SET_ENTRIES_MAX_COUNT);
  if (rcps == null || entries == null) return null;
  return readRecipients(rcps, set) && readEntries(entries, set) ? set : null;
}

function isKind(json: Json): bool {
  const kind = json.get("kind");
  return kind != null && kind.textIs("Set");
}

function readRecipients(rcps: Json[], set: SetDocument): bool {
  for (let i = 0; i < rcps.length; i++) {
    if (rcps[i].kind != JsonKind.String || !isKeyId(rcps[i].text)) return false;
    if (i > 0 && rcps[i - 1].text.compare(rcps[i].text) >= 0) return false;
    set.rcps.push(rcps[i].text);
  }
  return true;
}

function readEntries(entries: Json[], set: SetDocument): bool {
  for (let i = 0; i < entries.length; i++) {
    const entry = parseEntry(entries[i], set);
    if (entry == null) return false;
    if (i > 0 && order(set.entries[i - 1], entry.rt, entry.name) >= 0) return false;
    set.entries.push(entry);
  }
  return true;
}

function parseEntry(json: Json, set: SetDocument): SetEntry | null {
  if (!hasExactly(json, ["rt", "name", "ver", "cds"])) return null;
  const rt = textMember(json, "rt");
  const name = textMember(json, "name");
  const ver = textMember(json, "ver");
  const cds = arrayMember(json, "cds", max(1, set.rcps.length));
  if (rt == null || name == null || ver == null || cds == null || !isU64(ver)) return null;
  const entry = new SetEntry(rt, name, ver);
  return readItems(cds, entry, set) ? entry : null;
}

function readItems(cds: Json[], entry: SetEntry, set: SetDocument): bool {
  for (let i = 0; i < cds.length; i++) {
    const item = parseItem(cds[i]);
    if (item == null) return false;
    if (item.rcp.length == 0 ? cds.length != 1 : !set.hasRecipient(item.rcp)) return false;
    if (i > 0 && entry.items[i - 1].rcp.compare(item.rcp) >= 0) return false;
    entry.items.push(item);
  }
  return cds.length > 0;
}

function parseItem(json: Json): SetItem | null {
  const cd = textMember(json, "cd");
  if (cd == null || parseDigest(cd) == null) return null;
  if (hasExactly(json, ["cd"])) return new SetItem(cd, View.empty());
  const rcp = textMember(json, "rcp");
  return rcp != null && isKeyId(rcp) && hasExactly(json, ["cd", "rcp"]) ? new SetItem(cd, rcp) : null;
}

function order(entry: SetEntry, rt: View, name: View): i32 {
  const byType = entry.rt.compare(rt);
  return byType != 0 ? byType : entry.name.compare(name);
}
