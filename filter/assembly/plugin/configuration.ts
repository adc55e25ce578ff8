// The plugin configuration, as `wpgate wasmplugin` writes it. Control planes re-serialise it, so that all that counts is in
// opaque strings:
//
//   {"wpgate":1,"sets":[{"roots":["…"],"fresh":"…","set":"…","envelopes":["…"]}],"fresh":{"<namespace>":"…"}}
//
// Which namespace a member is about is not said: its signed roots do. The outer `fresh` may be missing.
import { countSeparators } from "../bytes/scan";
import { View } from "../bytes/view";
import { arrayMember, countMember, hasExactly } from "../envelope/members";
import { CONFIGURATION_SETS_MAX_COUNT, ENVELOPES_MAX_COUNT, ROOT_CHAIN_MAX_COUNT } from "../gen/limits";
import { parseJson } from "../wire/json";
import { Envelopes, readEnvelopes } from "./envelopes";
import { OuterFresh } from "./outer-fresh";

const VERSION: i64 = 1;
/** More brackets, braces, commas and colons than a configuration can have. Reading a text that consists of them takes ten times
 *  as long as reading the opaque strings that it should consist of. */
const SEPARATORS_MAX_COUNT = CONFIGURATION_SETS_MAX_COUNT * (ROOT_CHAIN_MAX_COUNT + ENVELOPES_MAX_COUNT + 16);

/** The members of `sets`, each with the fresh statement that counts; null when the configuration is malformed. */
export function parseConfiguration(text: View): Envelopes[] | null {
  if (countSeparators(text.ptr, text.length) > SEPARATORS_MAX_COUNT) return null;
  const json = parseJson(text, false);
  if (json == null) return null;
  const fresh = json.get("fresh");
  const outer = fresh == null ? OuterFresh.none() : OuterFresh.read(fresh);
  if (outer == null || !hasExactly(json, fresh == null ? ["wpgate", "sets"] : ["wpgate", "sets", "fresh"])) return null;
  const sets = arrayMember(json, "sets", CONFIGURATION_SETS_MAX_COUNT);
  if (sets == null || countMember(json, "wpgate") != VERSION) return null;
  const members: Envelopes[] = [];
  for (let i = 0; i < sets.length; i++) {
    const member = readEnvelopes(sets[i], outer);
    if (member == null) return null;
    members.push(member);
  }
  return members;
}
