/**
 * Heartbeats (docs/envelope.md section 10.4): the last `seq` of each type, at a stated interval. What makes silence, and a push
 * that was held back at the end of a session, visible.
 */
import { isU64Text } from "../bytes/decimal.ts";
import { asArray, asOneOf, asString, exactly, items, member, wrong } from "../bytes/json-shape.ts";
import type { Located } from "../bytes/json-shape.ts";
import { parseStrictJson } from "../bytes/json.ts";
import { compareUtf8, utf8 } from "../bytes/octets.ts";
import { PUSHED_TYPES_MAX_COUNT } from "./types.ts";

/** Last `seq`, decimal u64, by the type URL of the response. */
export type LastSeqs = ReadonlyMap<string, string>;

/** How long silence is all right when something is sent at least every `heartbeatSec`. */
export function silenceMaxSec(heartbeatSec: number): number {
  return heartbeatSec + Math.ceil(heartbeatSec / 2);
}

export function encodeHeartbeat(last: LastSeqs): Uint8Array {
  const types = [...last].sort(([a], [b]) => compareUtf8(a, b)).map(([rt, seq]) => ({ rt, seq }));
  return utf8(JSON.stringify({ kind: "Heartbeat", types }));
}

/** @throws ParseError JSON, DOCUMENT. */
export function parseHeartbeat(payload: Uint8Array): LastSeqs {
  const value = parseStrictJson(payload, { allowNegative: false });
  const heartbeat = exactly({ value, path: "" }, ["kind", "types"]);
  asOneOf(member(heartbeat, "kind", ""), ["Heartbeat"]);
  const types = asArray(member(heartbeat, "types", ""));
  if (types.length > PUSHED_TYPES_MAX_COUNT) wrong("types", `a list of at most ${PUSHED_TYPES_MAX_COUNT} items`);
  const entries = items(types, "types").map(parseEntry);
  for (const [i, [rt]] of entries.entries()) {
    const before = entries[i - 1];
    if (before && compareUtf8(before[0], rt) >= 0) wrong(`types[${i}]`, "after the one before it");
  }
  return new Map(entries);
}

function parseEntry(located: Located): readonly [rt: string, seq: string] {
  const entry = exactly(located, ["rt", "seq"]);
  const seq = asString(member(entry, "seq", located.path));
  if (!isU64Text(seq) || seq === "0") wrong(`${located.path}.seq`, "a decimal u64 from 1");
  return [asString(member(entry, "rt", located.path)), seq];
}

/** Whether both know of the same pushes. */
export function sameSeqs(a: LastSeqs, b: LastSeqs): boolean {
  return a.size === b.size && [...a].every(([rt, seq]) => b.get(rt) === seq);
}
