// The plugin configuration, as `wpgate wasmplugin` writes it. Control planes re-serialise it, so that all that counts is in
// opaque strings:
//
//   {"wpgate":1,"sets":[{"roots":["…"],"fresh":"…","set":"…","envelopes":["…"]}],"fresh":{"<namespace>":"…"}}
//
// Which namespace a member is about is not said: its signed roots do. The outer `fresh` may be missing.
import { View } from "../bytes/view";
import { arrayMember, countMember, hasExactly } from "../envelope/members";
import { parseJson } from "../wire/json";
import { Envelopes, readEnvelopes } from "./envelopes";
import { OuterFresh } from "./outer-fresh";

const VERSION: i64 = 1;

/** The members of `sets`, each with the fresh statement that counts; null when the configuration is malformed. */
export function parseConfiguration(text: View): Envelopes[] | null {
  const json = parseJson(text, false);
  if (json == null) return null;
  const fresh = json.get("fresh");
  const outer = fresh == null ? OuterFresh.none() : OuterFresh.read(fresh);
  if (outer == null || !hasExactly(json, fresh == null ? ["wpgate", "sets"] : ["wpgate", "sets", "fresh"])) return null;
  const sets = arrayMember(json, "sets");
  if (sets == null || countMember(json, "wpgate") != VERSION) return null;
  const members: Envelopes[] = [];
  for (let i = 0; i < sets.length; i++) {
    const member = readEnvelopes(sets[i], outer);
    if (member == null) return null;
    members.push(member);
  }
  return members;
}
