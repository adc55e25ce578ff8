// All that one namespace's owner has signed, as it travels: a member of `sets` in the plugin configuration, and what the
// shared cache holds. Nothing in it is believed.
//
//   {"roots":["…"],"fresh":"…","set":"…","envelopes":["…"]}            fresh and set may be missing, which verifying refuses
import { concat } from "../bytes/concat";
import { plainLength } from "../bytes/scan";
import { View } from "../bytes/view";
import { readEnvelope } from "../envelope/envelope";
import { arrayMember, textMember } from "../envelope/members";
import { RootDocument, parseRoot } from "../envelope/root-document";
import { Bundle } from "../envelope/types";
import { Use } from "../envelope/use";
import { ENVELOPES_MAX_COUNT, ROOT_CHAIN_MAX_COUNT } from "../gen/limits";
import { Json, JsonKind, parseJson } from "../wire/json";
import { quote } from "../wire/json-writer";
import { OuterFresh } from "./outer-fresh";

const QUOTE = View.utf8('"');
const OPEN = View.utf8("[");
const COMMA = View.utf8(",");
const CLOSE = View.utf8("]");
const NOTHING = View.utf8("[]");

@final
export class Envelopes {
  constructor(
    readonly bundle: Bundle,
    /** The namespace that the last root names; empty when it cannot be read. */
    readonly claimedNamespace: View,
    /** The JSON above in one spelling: equal texts are equal envelopes. */
    readonly text: View,
  ) {}
}

/** Null when the text is malformed. */
export function parseEnvelopes(text: View): Envelopes | null {
  const json = parseJson(text, false);
  return json == null ? null : readEnvelopes(json, OuterFresh.none());
}

/** The fresh statement in the result is the one that counts. Null when `json` is malformed, or names more roots or
 *  envelopes than verifying would look at. */
export function readEnvelopes(json: Json, outer: OuterFresh): Envelopes | null {
  const roots = texts(arrayMember(json, "roots", ROOT_CHAIN_MAX_COUNT));
  const envelopes = texts(arrayMember(json, "envelopes", ENVELOPES_MAX_COUNT));
  if (roots == null || envelopes == null) return null;
  const bundle = new Bundle();
  bundle.roots = roots;
  bundle.envelopes = envelopes;
  bundle.fresh = textMember(json, "fresh");
  bundle.set = textMember(json, "set");
  let known = 2;
  if (bundle.fresh != null) known++;
  if (bundle.set != null) known++;
  if (json.keys.length != known) return null;
  const ns = claimedNamespace(roots);
  bundle.fresh = outer.choose(ns, bundle.fresh);
  return new Envelopes(bundle, ns, write(bundle));
}

function texts(items: Json[] | null): View[] | null {
  if (items == null) return null;
  const out: View[] = [];
  for (let i = 0; i < items.length; i++) {
    if (items[i].kind != JsonKind.String) return null;
    out.push(items[i].text);
  }
  return out;
}

function write(bundle: Bundle): View {
  const parts = [View.utf8('{"roots":')];
  addList(parts, bundle.roots);
  addMember(parts, ',"fresh":', bundle.fresh);
  addMember(parts, ',"set":', bundle.set);
  parts.push(View.utf8(',"envelopes":'));
  addList(parts, bundle.envelopes);
  parts.push(View.utf8("}"));
  return concat(parts);
}

function addList(parts: View[], texts: View[]): void {
  for (let i = 0; i < texts.length; i++) {
    parts.push(i == 0 ? OPEN : COMMA);
    addText(parts, texts[i]);
  }
  parts.push(texts.length == 0 ? NOTHING : CLOSE);
}

function addMember(parts: View[], name: string, text: View | null): void {
  if (text == null) return;
  parts.push(View.utf8(name));
  addText(parts, text);
}

/** Base64url, if it is what it should be, needs no escapes and is not copied. */
function addText(parts: View[], text: View): void {
  if (plainLength(text.ptr, text.length) < text.length) {
    parts.push(View.utf8(quote(text)));
    return;
  }
  parts.push(QUOTE);
  parts.push(text);
  parts.push(QUOTE);
}

function claimedNamespace(roots: View[]): View {
  if (roots.length == 0) return View.empty();
  const envelope = readEnvelope(roots[roots.length - 1], Use.Root).envelope;
  const root: RootDocument | null = envelope == null ? null : parseRoot(envelope.data);
  return root == null ? View.empty() : root.ns;
}
