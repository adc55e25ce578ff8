// The plugin configuration, as `wpgate wasmplugin` writes it. Control planes re-serialise it, so that all that counts is in
// opaque strings:
//
//   {"wpgate":1,"sets":[{"roots":["…"],"fresh":"…","set":"…","envelopes":["…"]}]}
//
// Which namespace a member is about is not said: its signed roots do.
import { View } from "../bytes/view";
import { arrayMember, countMember, hasExactly } from "../envelope/members";
import { parseJson } from "../wire/json";
import { Envelopes, readEnvelopes } from "./envelopes";

const VERSION: i64 = 1;

/** The members of `sets`, or null when the configuration is malformed. */
export function parseConfiguration(text: View): Envelopes[] | null {
  const json = parseJson(text, false);
  if (json == null || !hasExactly(json, ["wpgate", "sets"])) return null;
  const sets = arrayMember(json, "sets");
  if (sets == null || countMember(json, "wpgate") != VERSION) return null;
  const members: Envelopes[] = [];
  for (let i = 0; i < sets.length; i++) {
    const member = readEnvelopes(sets[i]);
    if (member == null) return null;
    members.push(member);
  }
  return members;
}
