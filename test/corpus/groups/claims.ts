/** Claims (docs/envelope.md section 3; section 6, steps 4 to 6), and strict JSON in them (section 1.1). */
import { utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { single } from "../case.ts";
import type { CaseWant, NamedCase } from "../case.ts";
import { json, policyValue } from "../documents.ts";
import { forgeText, MESH, NOW_SEC, NS, TRUST_DOMAIN } from "../forge.ts";
import type { ClaimValues, Forgery } from "../forge.ts";
import { keyIdOf } from "../../../xds-proxy/src/crypto/sha256.ts";
import { reader } from "../keys.ts";

const GOOD: Forgery = { use: "cfg", data: json(policyValue()), signers: ["cfg"] };
const SET = json({ kind: "Set", rcps: [], entries: [] });
const FRESH = json({ kind: "Fresh", set: { ver: "1", cd: "A".repeat(43) } });

type Row = readonly [name: string, comment: string, verdict: "ok" | Code];

function from([name, comment, verdict]: Row, forgery: Partial<Forgery>, want?: CaseWant): NamedCase {
  const statement = { ...GOOD, ...forgery };
  const expect = verdict === "ok" ? [statement.data] : verdict;
  return [`claims-${name}`, single({ comment, expect, envelopes: [forgeText(statement)], ...(want && { want }) })];
}

const claim = (row: Row, claims: ClaimValues): NamedCase => from(row, { claims });
const text = (row: Row, claimsText: (json: string) => string | Uint8Array): NamedCase => from(row, { claimsText });

const COMMON = ["aud", "exp", "iat", "sub", "dom", "use", "ns", "ep", "cd", "len"];
const MISSING: readonly NamedCase[] = COMMON.map((name) =>
  claim([`without-${name}`, `the claim ${name} is missing`, "CLAIMS"], { [name]: undefined }),
);

const TYPES: readonly NamedCase[] = [
  claim(["aud-array", "aud as an array, as JWT would allow", "CLAIMS"], {
    aud: [`https://${NS}.${MESH}.${TRUST_DOMAIN}`],
  }),
  claim(["exp-string", "exp as a string", "CLAIMS"], { exp: String(NOW_SEC + 600) }),
  claim(["iat-null", "iat is null", "CLAIMS"], { iat: null }),
  claim(["iat-negative", "iat is negative", "CLAIMS"], { iat: -1 }),
  claim(["ns-number", "ns is a number", "CLAIMS"], { ns: 1 }),
  claim(["dom-object", "dom is an object", "CLAIMS"], { dom: {} }),
  claim(["use-boolean", "use is true", "CLAIMS"], { use: true }),
  claim(["ep-string", "ep as a string", "CLAIMS"], { ep: "1" }),
  claim(["len-string", "len as a string", "CLAIMS"], { len: "10" }),
  claim(["cd-number", "cd is a number", "CLAIMS"], { cd: 0 }),
  claim(["rt-null", "rt is null", "CLAIMS"], { rt: null }),
  claim(["ver-number", "ver as a number", "CLAIMS"], { ver: 1 }),
  claim(["ver-leading-zero", "ver with a leading zero", "CLAIMS"], { ver: "01" }),
  claim(["ver-sign", "ver with a sign", "CLAIMS"], { ver: "+1" }),
  claim(["ver-empty", "ver is empty", "CLAIMS"], { ver: "" }),
  claim(["ver-over", "ver is 2^64", "CLAIMS"], { ver: "18446744073709551616" }),
  claim(["ver-21-digits", "ver with 21 digits", "CLAIMS"], { ver: "100000000000000000000" }),
  claim(["ver-largest", "ver is 2^64-1", "ok"], { ver: "18446744073709551615" }),
  claim(["ver-zero", "ver is 0", "ok"], { ver: "0" }),
  claim(["sub-other", "sub is neither mailto: nor https:", "CLAIMS"], { sub: "http://owner.example" }),
  claim(["sub-https", "sub is an https: contact", "ok"], { sub: "https://owner.example" }),
  claim(["sub-case", "sub begins with MAILTO:", "CLAIMS"], { sub: "MAILTO:owner@example" }),
  claim(["exp-is-iat", "exp is iat", "CLAIMS"], { exp: NOW_SEC, iat: NOW_SEC }),
  claim(["exp-before-iat", "exp is before iat", "CLAIMS"], { exp: NOW_SEC, iat: NOW_SEC + 1 }),
  claim(["unknown", "an unknown claim", "CLAIMS"], { jti: "1" }),
  claim(["kid", "the JOSE parameter kid as a claim", "CLAIMS"], { kid: "1" }),
];

const JSON_TEXTS: readonly NamedCase[] = [
  text(["empty", "no claims at all", "CLAIMS"], () => ""),
  text(["not-json", "claims that are not JSON", "CLAIMS"], () => "claims"),
  text(["array", "claims as an array", "CLAIMS"], (json) => `[${json}]`),
  text(["null", "claims are null", "CLAIMS"], () => "null"),
  text(["bom", "a byte order mark before the claims", "CLAIMS"], (json) => `\ufeff${json}`),
  text(["trailing-newline", "a newline after the claims", "CLAIMS"], (json) => `${json}\n`),
  text(["trailing-object", "a second object after the claims", "CLAIMS"], (json) => `${json}{}`),
  text(["trailing-comma", "a comma after the last claim", "CLAIMS"], (json) => json.replace(/\}$/, ",}")),
  text(["unclosed", "the closing brace is missing", "CLAIMS"], (json) => json.slice(0, -1)),
  text(["leading-space", "white space before the claims", "ok"], (json) => ` \t\r\n${json}`),
  text(["inner-space", "white space between the claims", "ok"], (json) =>
    json.replaceAll(",", " ,\n").replaceAll(":1", ": 1"),
  ),
  text(["form-feed", "a form feed is no white space", "CLAIMS"], (json) => json.replace(",", "\f,")),
  text(["other-order", "the claims in another order", "ok"], (json) => reordered(json)),
  text(["duplicate", "ns twice with the same value", "CLAIMS"], (json) => json.replace("{", `{"ns":"${NS}",`)),
  text(["duplicate-escaped", "ns twice, once escaped", "CLAIMS"], (json) => json.replace("{", `{"\\u006es":"${NS}",`)),
  text(["escaped-name", "the name of a claim is escaped", "ok"], (json) => json.replace('"ns"', '"\\u006e\\u0073"')),
  text(["escaped-value", "the value of a claim is escaped", "ok"], (json) =>
    json.replace('"wpgate/1"', '"wpgate\\/\\u0031"'),
  ),
  text(["fraction", "exp with a fraction", "CLAIMS"], (json) => json.replace(/"exp":(\d+)/, '"exp":$1.0')),
  text(["exponent", "iat with an exponent", "CLAIMS"], (json) => json.replace(/"iat":(\d+)/, '"iat":$1e0')),
  text(["minus-zero", "len is -0", "CLAIMS"], (json) => json.replace(/"len":\d+/, '"len":-0')),
  text(["leading-zero", "ep with a leading zero", "CLAIMS"], (json) => json.replace('"ep":1', '"ep":01')),
  text(["plus-sign", "ep with a plus sign", "CLAIMS"], (json) => json.replace('"ep":1', '"ep":+1')),
  text(["integer-over", "ep is 2^53", "CLAIMS"], (json) => json.replace('"ep":1', '"ep":9007199254740992')),
  text(["integer-largest", "ep is 2^53-1", "EPOCH"], (json) => json.replace('"ep":1', '"ep":9007199254740991')),
  text(["integer-huge", "ep with 400 digits", "CLAIMS"], (json) => json.replace('"ep":1', `"ep":${"9".repeat(400)}`)),
  text(["lone-surrogate", "a lone surrogate, escaped, in sub", "CLAIMS"], (json) => json.replace("owner@", "\\ud800@")),
  text(["surrogates-reversed", "a low surrogate before a high one in sub", "CLAIMS"], (json) =>
    json.replace("owner@", "\\udc00\\ud800@"),
  ),
  text(["surrogate-pair", "a surrogate pair, escaped, in sub", "ok"], (json) =>
    json.replace("owner@", "\\ud83d\\ude00@"),
  ),
  text(["nul-escaped", "an escaped NUL in sub", "ok"], (json) => json.replace("owner@", "\\u0000@")),
  text(["control-raw", "a raw tab inside a string", "CLAIMS"], (json) => json.replace("owner@", "\t@")),
  text(["delete-raw", "U+007F needs no escape", "ok"], (json) => json.replace("owner@", "\u007f@")),
  text(["escape-unknown", "an escape that JSON does not have", "CLAIMS"], (json) => json.replace("owner@", "\\x41@")),
  text(["escape-short", "an escape of three hex digits", "CLAIMS"], (json) => json.replace("owner@", "\\u041@")),
  text(["single-quotes", "a name in single quotes", "CLAIMS"], (json) => json.replace('"ns"', "'ns'")),
  text(["word-case", "the word True", "CLAIMS"], (json) => json.replace('"ep":1', '"ep":True')),
  text(["not-utf8", "a byte ff inside a string", "CLAIMS"], (json) => replaceByte(json, "owner", 0xff)),
  text(["byte-c0", "a byte c0, which begins only overlong encodings", "CLAIMS"], (json) =>
    replaceByte(json, "owner", 0xc0),
  ),
];

function reordered(json: string): string {
  const entries = Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>);
  return JSON.stringify(Object.fromEntries(entries.toReversed()));
}

/** Puts a byte where the first letter of `word` is. */
function replaceByte(json: string, word: string, byte: number): Uint8Array {
  const bytes = utf8(json);
  bytes[json.indexOf(word)] = byte;
  return bytes;
}

const USES: readonly NamedCase[] = [
  claim(["dom-other", "dom of another version", "DOMAIN"], { dom: "wpgate/2" }),
  claim(["dom-empty", "dom is empty", "DOMAIN"], { dom: "" }),
  claim(["dom-before-use", "dom and use are both wrong", "DOMAIN"], { dom: "x", use: "x" }),
  claim(["claims-before-dom", "dom is wrong and a claim is unknown", "CLAIMS"], { dom: "x", jti: "1" }),
  claim(["use-unknown", "a use that does not exist", "USE"], { use: "policy" }),
  claim(["use-case", "use in capitals", "USE"], { use: "CFG" }),
  from(["use-set-for-cfg", "a set where a cfg is wanted", "USE"], { use: "set", data: SET }),
  from(["use-fresh-for-cfg", "a fresh where a cfg is wanted", "USE"], {
    use: "fresh",
    data: FRESH,
    signers: ["fresh"],
  }),
  from(["use-root-for-cfg", "a root where a cfg is wanted", "USE"], { use: "root", data: SET, signers: ["root"] }),
  from(["use-cfg-for-set", "a cfg where a set is wanted", "USE"], {}, { use: "set" }),
  from(["use-msg", "a msg is not verified under a root", "USE"], { use: "msg", signers: ["cfg"] }, { use: "msg" }),
  claim(["use-before-its-claims", "another use, and a claim that it must have is missing", "USE"], {
    use: "push",
    rt: undefined,
  }),
  claim(["cfg-without-rt", "a cfg without rt", "CLAIMS"], { rt: undefined }),
  claim(["cfg-without-name", "a cfg without name", "CLAIMS"], { name: undefined }),
  claim(["cfg-without-ver", "a cfg without ver", "CLAIMS"], { ver: undefined }),
  claim(["cfg-with-seq", "a cfg with seq", "CLAIMS"], { seq: "1" }),
  claim(["cfg-with-sid", "a cfg with sid", "CLAIMS"], { sid: "" }),
  claim(["ce-without-rcp", "ce without rcp", "CLAIMS"], { ce: "aes128gcm" }),
  claim(["rcp-without-ce", "rcp without ce", "CLAIMS"], { rcp: keyIdOf(reader("a").p256dh) }),
  from(["set-good", "a set by itself", "ok"], { use: "set", data: SET }, { use: "set" }),
  from(["set-with-rt", "a set with rt", "CLAIMS"], { use: "set", data: SET, claims: { rt: "x" } }, { use: "set" }),
  from(
    ["set-without-ver", "a set without ver", "CLAIMS"],
    { use: "set", data: SET, claims: { ver: undefined } },
    { use: "set" },
  ),
  from(["set-sealed", "a set with ce and rcp", "CLAIMS"],
    { use: "set", data: SET, seal: { for: reader("a") } }, { use: "set" }), // prettier-ignore
  from(["fresh-good", "a fresh by itself", "ok"], { use: "fresh", data: FRESH, signers: ["fresh"] }, { use: "fresh" }),
  from(["fresh-with-name", "a fresh with name", "CLAIMS"],
    { use: "fresh", data: FRESH, signers: ["fresh"], claims: { name: "x" } }, { use: "fresh" }), // prettier-ignore
];

const host = (origin: string): ClaimValues => ({ aud: origin });
const PLACES: readonly NamedCase[] = [
  claim(["aud-other-ns", "aud of another namespace", "AUDIENCE"], host(`https://team-b.${MESH}.${TRUST_DOMAIN}`)),
  claim(["aud-other-mesh", "aud of another mesh", "AUDIENCE"], host(`https://${NS}.mesh-2.${TRUST_DOMAIN}`)),
  claim(["aud-other-domain", "aud of another trust domain", "AUDIENCE"], host(`https://${NS}.${MESH}.example.org`)),
  claim(["aud-slash", "aud with a slash at its end", "AUDIENCE"], host(`https://${NS}.${MESH}.${TRUST_DOMAIN}/`)),
  claim(["aud-case", "aud in capitals", "AUDIENCE"], host(`https://${NS}.${MESH}.${TRUST_DOMAIN}`.toUpperCase())),
  claim(["aud-port", "aud with its port", "AUDIENCE"], host(`https://${NS}.${MESH}.${TRUST_DOMAIN}:443`)),
  claim(["aud-http", "aud of another scheme", "AUDIENCE"], host(`http://${NS}.${MESH}.${TRUST_DOMAIN}`)),
  claim(["aud-push-service", "aud of a push service", "AUDIENCE"], host("https://push.example.net")),
  claim(["ns-other", "another namespace in ns, and the right aud", "NAMESPACE"], { ns: "team-b" }),
  claim(["ns-empty", "ns is empty", "NAMESPACE"], { ns: "" }),
  claim(["aud-before-ns", "aud and ns of another namespace", "AUDIENCE"], {
    ...host(`https://team-b.${MESH}.${TRUST_DOMAIN}`),
    ns: "team-b",
  }),
];

export const CLAIMS_CASES: readonly NamedCase[] = [...MISSING, ...TYPES, ...JSON_TEXTS, ...USES, ...PLACES];
