/** The policy engine for the tests: policies as their JSON, requests as a JSON object whose values are base64url bytes. */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { parsePolicy } from "../policy/parse";
import { Policy } from "../policy/policy";
import { PolicySet } from "../policy/set";
import { TrustDomains } from "../policy/trust-domains";
import { Attribute, Claim, Decision, Knobs, Node, RequestAttributes } from "../policy/types";
import { decodeBase64Url } from "../wire/base64url";
import { Json, JsonKind, parseJson } from "../wire/json";

let policies: Policy[] = [];
let set: PolicySet | null = null;
let where = "";

/** Forgets all policies. */
export function policyReset(): void {
  policies = [];
  set = null;
}

/** Adds a policy and returns its code; `policyWhere` is the path of its fault. */
export function policyAdd(ptr: usize, length: i32): i32 {
  const result = parsePolicy(new View(ptr, length).copy());
  where = result.where;
  const policy = result.policy;
  if (policy !== null) policies.push(policy);
  return result.code;
}

export function policyWhere(): string {
  return where;
}

/** `{"namespace","rootNamespace","trustDomain","trustDomainAliases":[],"labels":{}}` as plain texts; returns a Code. */
export function policyCompile(ptr: usize, length: i32, defaultDeny: bool, strictPaths: bool): i32 {
  const json = parseJson(new View(ptr, length).copy(), false);
  if (json === null) return Code.PAYLOAD;
  const aliases = json.get("trustDomainAliases");
  const labels = json.get("labels");
  const names: View[] = labels === null ? [] : labels.keys;
  const values: View[] = labels === null ? [] : labels.items.map<View>((item) => item.text);
  const node = new Node(
    textOf(json, "namespace"),
    textOf(json, "rootNamespace"),
    new TrustDomains(textOf(json, "trustDomain"), aliases === null ? [] : aliases.items.map<View>((item) => item.text)),
    names,
    values,
  );
  set = PolicySet.compile(policies, node, new Knobs(defaultDeny, strictPaths));
  return Code.OK;
}

/** Bits of the attributes that the compiled set can ask for. */
export function policyAttributes(): u32 {
  const compiled = set;
  return compiled === null ? 0 : compiled.attributes;
}

/** The decision as JSON. */
export function policyEvaluate(ptr: usize, length: i32): string {
  const compiled = set;
  const json = parseJson(new View(ptr, length), false);
  if (compiled === null || json === null) return "null";
  return spell(compiled.evaluate(new JsonRequest(json)));
}

/** The time of `count` evaluations of one parsed request is what a benchmark measures around this call. */
export function policyEvaluateMany(ptr: usize, length: i32, count: i32): i32 {
  const compiled = set;
  const json = parseJson(new View(ptr, length), false);
  if (compiled === null || json === null) return -1;
  let allowed = 0;
  for (let i = 0; i < count; i++) if (compiled.evaluate(new JsonRequest(json)).allow) allowed++;
  return allowed;
}

const TEXTS: string[] = ["path", "method", "host", "remote", "destination", "uri", "dns", "subject", "sni"];

@final
class JsonRequest extends RequestAttributes {
  constructor(private readonly json: Json) {
    super();
  }

  protected readText(attribute: Attribute): View | null {
    const member = this.json.get(TEXTS[attribute]);
    return member === null ? null : bytesOf(member);
  }

  protected readHeader(name: View): View[] {
    const values: View[] = [];
    const headers = this.json.get("headers");
    if (headers === null) return values;
    for (let i = 0; i < headers.items.length; i++) {
      const pair = headers.items[i].items;
      if (bytesOf(pair[0]).equals(name)) values.push(bytesOf(pair[1]));
    }
    return values;
  }

  protected readClaim(path: View[]): Claim | null {
    const claims = this.json.get("claims");
    if (claims === null) return null;
    for (let i = 0; i < claims.items.length; i++) {
      const claim = claims.items[i];
      if (!samePath(claim.get("path")!.items, path)) continue;
      const values = claim.get("values")!.items.map<View>((item) => bytesOf(item));
      return new Claim(claim.get("isArray")!.bool, values);
    }
    return null;
  }
}

function samePath(left: Json[], right: View[]): bool {
  if (left.length != right.length) return false;
  for (let i = 0; i < left.length; i++) if (!bytesOf(left[i]).equals(right[i])) return false;
  return true;
}

function bytesOf(json: Json): View {
  const bytes = json.kind == JsonKind.String ? decodeBase64Url(json.text) : null;
  return bytes === null ? View.empty() : bytes;
}

function textOf(json: Json, name: string): View {
  const member = json.get(name);
  return member === null ? View.empty() : member.text;
}

function spell(decision: Decision): string {
  return (
    `{"allow":${decision.allow.toString()},"reason":${(<i32>decision.reason).toString()},"rule":"${decision.rule}",` +
    `"audited":${decision.audited.toString()},"shadow":${(<i32>decision.shadow).toString()},"shadowRule":"${decision.shadowRule}"}`
  );
}
