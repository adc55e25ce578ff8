/** Conformance cases (docs/envelope.md section 9) and parsers of envelopes for the tests. A case that is not in the format of
 *  a case gives `{"result":"BAD_CASE"}`, which no expectation names. */
import { View } from "../bytes/view";
import { digestOf } from "../envelope/digest";
import { Clock } from "../envelope/clock";
import { readClaims } from "../envelope/claims";
import { readEnvelope } from "../envelope/envelope";
import { KeyTables } from "../envelope/key-tables";
import { NamespaceResult, verifyNamespace } from "../envelope/namespace";
import { Pin, parsePin } from "../envelope/pin";
import { verifyRootChain } from "../envelope/root";
import { PureVerifier } from "../envelope/signature";
import { StatementContext, verifyStatement } from "../envelope/statement";
import { parseTrustState, readTrustState } from "../envelope/trust-state";
import { Bundle, Recipient, VerifyOptions, Want } from "../envelope/types";
import { Use, parseUse } from "../envelope/use";
import { Verdict } from "../envelope/verdict";
import { Code, codeName } from "../gen/codes";
import { decodeBase64Url } from "../wire/base64url";
import { Json, JsonKind, parseJson } from "../wire/json";
import { quote } from "../wire/json-writer";

const BAD_CASE = '{"result":"BAD_CASE"}';

/** Kept over all cases, as one VM keeps them over all configurations. */
const tables = new KeyTables();

/** `{"result":"ok","payloads":[hex SHA-256…],"state":{…},"freshExpSec":…,"expiresAtSec":…}` or `{"result":CODE,"where":…}`. */
export function verifyCase(ptr: usize, length: i32): string {
  return runCase(new View(ptr, length), false);
}

/** The same with `deferTime`; `"time":{"result":CODE or "ok","where":…}` is added. */
export function verifyCaseDeferred(ptr: usize, length: i32): string {
  return runCase(new View(ptr, length), true);
}

/** The code of reading an envelope's text and its claims for a use (a number of the enum `Use`). */
export function envelopeReadCode(ptr: usize, length: i32, use: i32): i32 {
  const read = readEnvelope(new View(ptr, length), use);
  const envelope = read.envelope;
  return envelope == null ? read.code : readClaims(envelope.sender().claims, use).code;
}

export function envelopeIsPin(ptr: usize, length: i32): bool {
  return parsePin(new View(ptr, length)) != null;
}

/** The state in the spelling of the filter, or an empty string when the text is not a state. */
export function envelopeRespellState(ptr: usize, length: i32): string {
  const state = parseTrustState(new View(ptr, length));
  return state == null ? "" : state.toJson();
}

/** How many keys have a table at the moment. */
export function envelopeKeyTableCount(): i32 {
  return tables.count;
}

@final
class Case {
  bundle: Bundle = new Bundle();
  ns: View = View.empty();

  constructor(readonly options: VerifyOptions) {}
}

function runCase(text: View, deferTime: bool): string {
  const json = parseJson(text, true);
  const parsed = json != null ? parseCase(json) : null;
  if (parsed == null) return BAD_CASE;
  parsed.options.deferTime = deferTime;
  const isNamespace = parsed.bundle.fresh != null || parsed.bundle.set != null;
  if (!isNamespace || parsed.options.want.use == Use.Root) return runSingle(parsed);
  return spell(verifyNamespace(parsed.ns, parsed.bundle, parsed.options), deferTime);
}

function runSingle(single: Case): string {
  const options = single.options;
  const verdict = new Verdict(options.deferTime);
  const digests = new Array<string>();
  options.state = null;
  const chain = verifyRootChain(single.ns, single.bundle.roots, options, verdict);
  if (chain != null && options.want.use != Use.Root) {
    const context = new StatementContext(single.ns, chain.last(), new Clock(options.nowMs, 0), options, verdict);
    for (let i = 0; i < single.bundle.envelopes.length; i++) {
      const text = single.bundle.envelopes[i];
      const statement = verifyStatement(text, options.want, context, `envelopes[${i}]`);
      if (statement == null) break;
      digests.push(hexDigest(statement.payload!));
    }
  }
  const members = spellVerdict(verdict.code, verdict.where, digests);
  return `{${members}${options.deferTime ? spellTime(verdict.timeCode, verdict.timeWhere) : ""}}`;
}

function spell(result: NamespaceResult, deferTime: bool): string {
  const digests = result.payloads.map<string>((payload) => hexDigest(payload.data));
  let members = spellVerdict(result.code, result.where, digests);
  const next = result.next;
  if (next != null) {
    members += `,"state":${next.toJson()},"freshExpSec":${result.freshExpSec},"expiresAtSec":${result.expiresAtSec}`;
  }
  if (deferTime) members += spellTime(result.timeCode, result.timeWhere);
  return `{${members}}`;
}

function spellVerdict(code: Code, where: string, digests: string[]): string {
  if (code != Code.OK) return `"result":"${codeName(code)}","where":"${where}"`;
  return `"result":"ok","payloads":[${digests.map<string>((digest) => `"${digest}"`).join(",")}]`;
}

function spellTime(code: Code, where: string): string {
  return `,"time":{"result":"${code == Code.OK ? "ok" : codeName(code)}","where":"${where}"}`;
}

function hexDigest(data: View): string {
  const digest = digestOf(data);
  let hex = "";
  for (let i = 0; i < digest.length; i++) hex += digest.at(i).toString(16).padStart(2, "0");
  return hex;
}

function parseCase(json: Json): Case | null {
  const pin = parseCasePin(json.get("pin"));
  const want = parseWant(json.get("want"));
  const nowMs = json.get("nowMs");
  const ns = json.get("ns");
  if (pin == null || want == null || nowMs == null || ns == null || ns.kind != JsonKind.String) return null;
  const parsed = new Case(new VerifyOptions(pin, want, nowMs.integer, new PureVerifier()));
  parsed.options.tables = tables;
  parsed.ns = ns.text;
  parsed.bundle.roots = texts(json.get("roots"));
  parsed.bundle.envelopes = texts(json.get("envelopes"));
  parsed.bundle.fresh = text(json.get("fresh"));
  parsed.bundle.set = text(json.get("set"));
  const state = json.get("state");
  if (state != null) {
    parsed.options.state = readTrustState(state);
    if (parsed.options.state == null) return null;
  }
  const recipient = json.get("recipient");
  if (recipient != null) {
    parsed.options.recipient = parseRecipient(recipient);
    if (parsed.options.recipient == null) return null;
  }
  return parsed;
}

function parseCasePin(json: Json | null): Pin | null {
  if (json == null) return null;
  const mesh = text(json.get("mesh"));
  const trustDomain = text(json.get("trustDomain"));
  const roots = json.get("roots");
  if (mesh == null || trustDomain == null || roots == null) return null;
  const pin = new Pin(mesh, trustDomain, View.empty(), View.utf8("policy"));
  return pin.addRoots(roots) ? pin : null;
}

function parseWant(json: Json | null): Want | null {
  const use = json != null ? text(json.get("use")) : null;
  if (json == null || use == null) return null;
  const want = new Want(parseUse(use));
  want.rt = text(json.get("rt"));
  want.name = text(json.get("name"));
  want.sid = text(json.get("sid"));
  want.seq = text(json.get("seq"));
  return want;
}

function parseRecipient(json: Json): Recipient | null {
  const privateKey = bytes(json.get("privateKey"), 32);
  const publicKey = bytes(json.get("p256dh"), 65);
  const auth = bytes(json.get("auth"), 16);
  if (privateKey == null || publicKey == null || auth == null) return null;
  return new Recipient(privateKey, publicKey, auth);
}

function bytes(json: Json | null, length: i32): View | null {
  const spelled = text(json);
  const decoded = spelled != null ? decodeBase64Url(spelled) : null;
  return decoded != null && decoded.length == length ? decoded : null;
}

function text(json: Json | null): View | null {
  return json != null && json.kind == JsonKind.String ? json.text : null;
}

/** The strings of an array; another item is a text that is no base64url. */
function texts(json: Json | null): View[] {
  const views = new Array<View>();
  if (json == null) return views;
  for (let i = 0; i < json.items.length; i++) {
    const item = text(json.items[i]);
    views.push(item == null ? View.utf8("!") : item);
  }
  return views;
}
