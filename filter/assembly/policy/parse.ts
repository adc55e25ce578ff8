/** Reads the exact JSON of one AuthorizationPolicy (security.istio.io/v1). Nothing is skipped: a member that is not known
 *  here, or cannot be enforced, refuses the whole policy. Members are looked at in the order of the document, then what is
 *  missing or contradicts itself; the first fault is the answer. */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { equalsAscii } from "../wire/ascii";
import { Json, JsonKind, parseJson } from "../wire/json";
import { isOneOf, UNSUPPORTED_SPEC } from "./fields";
import { Faults } from "./faults";
import { readRule } from "./parse-rule";
import { Action, Policy } from "./policy";

/** A policy, or the code PAYLOAD (not a valid AuthorizationPolicy) or UNSUPPORTED (valid, but not enforceable here) and the
 *  JSON path of the fault. */
@final
export class ParseResult {
  constructor(
    readonly code: Code,
    readonly where: string,
    readonly policy: Policy | null,
  ) {}
}

/** @param payload the exact JSON of the Kubernetes object; the policy keeps views on it, so the caller keeps the bytes */
export function parsePolicy(payload: View): ParseResult {
  const faults = new Faults();
  const policy = new Policy();
  const document = parseJson(payload, true);
  if (document === null || document.kind != JsonKind.Object) faults.payload("");
  else readDocument(document, policy, faults);
  return new ParseResult(faults.code, faults.where, faults.none ? policy : null);
}

function readDocument(document: Json, policy: Policy, faults: Faults): void {
  let dryRun: View | null = null;
  for (let i = 0; i < document.keys.length && faults.none; i++) {
    const name = document.keys[i];
    const value = document.items[i];
    if (equalsAscii(name, "apiVersion")) readApiVersion(value, faults);
    else if (equalsAscii(name, "kind")) faults.payloadUnless(value.textIs("AuthorizationPolicy"), "kind");
    else if (equalsAscii(name, "metadata")) dryRun = readMetadata(value, policy, faults);
    else if (equalsAscii(name, "spec")) readSpec(value, policy, faults);
    else faults.payload(name.toString());
  }
  requireMember(document, "apiVersion", faults);
  requireMember(document, "kind", faults);
  requireMember(document, "metadata", faults);
  requireMember(document, "spec", faults);
  if (dryRun !== null && faults.none) setDryRun(dryRun, policy, faults);
  faults.payloadUnless(policy.action != Action.Deny || policy.rules.length > 0, "spec.rules");
}

/** A consumer asks for this version only: under another one a policy would be left aside in silence. */
function readApiVersion(value: Json, faults: Faults): void {
  if (value.textIs("security.istio.io/v1beta1")) return faults.unsupported("apiVersion");
  faults.payloadUnless(value.textIs("security.istio.io/v1"), "apiVersion");
}

/** The value of the dry-run annotation, if there is one. */
function readMetadata(metadata: Json, policy: Policy, faults: Faults): View | null {
  let dryRun: View | null = null;
  if (!faults.payloadUnless(metadata.kind == JsonKind.Object, "metadata")) return null;
  for (let i = 0; i < metadata.keys.length && faults.none; i++) {
    const name = metadata.keys[i];
    const value = metadata.items[i];
    const where = "metadata." + name.toString();
    if (equalsAscii(name, "name")) policy.name = readText(value, where, faults);
    else if (equalsAscii(name, "namespace")) policy.namespace = readText(value, where, faults);
    else if (equalsAscii(name, "labels")) readTexts(value, where, faults);
    else if (equalsAscii(name, "annotations")) {
      readTexts(value, where, faults);
      const annotation = value.get("istio.io/dry-run");
      if (annotation !== null) dryRun = annotation.text;
    } else faults.payload(where);
  }
  if (policy.name.length == 0) faults.payload("metadata.name");
  if (policy.namespace.length == 0) faults.payload("metadata.namespace");
  return dryRun;
}

function readSpec(spec: Json, policy: Policy, faults: Faults): void {
  if (!faults.payloadUnless(spec.kind == JsonKind.Object, "spec")) return;
  for (let i = 0; i < spec.keys.length && faults.none; i++) {
    const name = spec.keys[i];
    const value = spec.items[i];
    if (equalsAscii(name, "action")) readAction(value, policy, faults);
    else if (equalsAscii(name, "selector")) readSelector(value, policy, faults);
    else if (equalsAscii(name, "rules")) readRules(value, policy, faults);
    else if (isOneOf(name, UNSUPPORTED_SPEC)) faults.unsupported("spec." + name.toString());
    else faults.payload("spec." + name.toString());
  }
}

function readAction(action: Json, policy: Policy, faults: Faults): void {
  if (action.textIs("ALLOW")) policy.action = Action.Allow;
  else if (action.textIs("DENY")) policy.action = Action.Deny;
  else if (action.textIs("AUDIT")) policy.action = Action.Audit;
  else if (action.textIs("CUSTOM")) faults.unsupported("spec.action");
  else faults.payload("spec.action");
}

function readSelector(selector: Json, policy: Policy, faults: Faults): void {
  if (!faults.payloadUnless(selector.kind == JsonKind.Object, "spec.selector")) return;
  for (let i = 0; i < selector.keys.length && faults.none; i++) {
    const where = "spec.selector." + selector.keys[i].toString();
    if (!faults.payloadUnless(equalsAscii(selector.keys[i], "matchLabels"), where)) return;
    const labels = selector.items[i];
    readTexts(labels, where, faults);
    for (let j = 0; j < labels.keys.length && faults.none; j++) {
      const isPlain = labels.keys[j].length > 0 && !hasStar(labels.keys[j]) && !hasStar(labels.items[j].text);
      faults.payloadUnless(isPlain, where + "." + labels.keys[j].toString());
      policy.selectorNames.push(labels.keys[j]);
      policy.selectorValues.push(labels.items[j].text);
    }
  }
}

function readRules(rules: Json, policy: Policy, faults: Faults): void {
  if (!faults.payloadUnless(rules.kind == JsonKind.Array, "spec.rules")) return;
  for (let i = 0; i < rules.items.length && faults.none; i++) {
    policy.rules.push(readRule(rules.items[i], "spec.rules[" + i.toString() + "]", faults));
  }
}

/** The annotation takes what Go's `strconv.ParseBool` takes, and rehearses ALLOW and DENY only. */
function setDryRun(value: View, policy: Policy, faults: Faults): void {
  policy.dryRun = isOneOf(value, ["1", "t", "T", "true", "TRUE", "True"]);
  const isBool = policy.dryRun || isOneOf(value, ["0", "f", "F", "false", "FALSE", "False"]);
  faults.payloadUnless(isBool && policy.action != Action.Audit, "metadata.annotations.istio.io/dry-run");
}

function requireMember(document: Json, name: string, faults: Faults): void {
  faults.payloadUnless(document.get(name) !== null, name);
}

/** A text that is not empty. */
function readText(value: Json, where: string, faults: Faults): View {
  faults.payloadUnless(value.kind == JsonKind.String && value.text.length > 0, where);
  return value.text;
}

/** Checks that an object has texts only. */
function readTexts(value: Json, where: string, faults: Faults): void {
  if (!faults.payloadUnless(value.kind == JsonKind.Object, where)) return;
  for (let i = 0; i < value.keys.length; i++) {
    faults.payloadUnless(value.items[i].kind == JsonKind.String, where + "." + value.keys[i].toString());
  }
}

function hasStar(text: View): bool {
  return text.indexOf(0x2a) >= 0;
}
