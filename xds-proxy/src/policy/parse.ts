/**
 * Reads the exact JSON of one AuthorizationPolicy (security.istio.io/v1) strictly: a member that is unknown, or that the
 * filter cannot enforce, refuses the policy. All faults are reported; the first one is the filter's verdict.
 */
import { parseStrictJson, type JsonObject, type JsonValue } from "../bytes/json.ts";
import { ParseError } from "../errors.ts";
import { UNSUPPORTED_SPEC } from "./fields.ts";
import { Faults, type Place } from "./faults.ts";
import { readRule } from "./parse-rule.ts";
import type { AuthorizationPolicy, ParsedPolicy, PolicyAction, PolicyFault, PolicyRule } from "./types.ts";

const DRY_RUN = "istio.io/dry-run";
const BOOLS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

/** Never throws. */
export function parsePolicy(payload: Uint8Array): ParsedPolicy {
  const faults = new Faults();
  const document = parseDocument(payload, faults);
  const policy = document === undefined ? undefined : readDocument(document, faults);
  const [first, ...others] = faults.all;
  if (first !== undefined) return { policy: undefined, faults: [first, ...others] };
  if (policy === undefined) return { policy: undefined, faults: [NOT_A_POLICY] };
  return { policy, faults: [] };
}

const NOT_A_POLICY: PolicyFault = { code: "PAYLOAD", where: "", message: "must be an AuthorizationPolicy" };

function parseDocument(payload: Uint8Array, faults: Faults): JsonObject | undefined {
  try {
    return faults.object({ value: parseStrictJson(payload, { allowNegative: true }), where: "" });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    faults.payload("", error.message);
    return undefined;
  }
}

interface Header {
  readonly name: string;
  readonly namespace: string;
  readonly dryRun: string | undefined;
}

interface Spec {
  readonly action: PolicyAction;
  readonly selector: ReadonlyMap<string, string>;
  readonly rules: readonly PolicyRule[];
}

function readDocument(document: JsonObject, faults: Faults): AuthorizationPolicy | undefined {
  let header: Header | undefined;
  let spec: Spec | undefined;
  for (const [name, value] of document) {
    if (name === "apiVersion") readApiVersion(value, faults);
    else if (name === "kind") faults.unless(value === "AuthorizationPolicy", name, "must be AuthorizationPolicy");
    else if (name === "metadata") header = readMetadata(value, faults);
    else if (name === "spec") spec = readSpec(value, faults);
    else faults.payload(name, "unknown field");
  }
  for (const name of ["apiVersion", "kind", "metadata", "spec"])
    faults.unless(document.has(name), name, "must be present");
  if (header === undefined || spec === undefined) return undefined;
  const dryRun = readDryRun(header.dryRun, spec.action, faults);
  faults.unless(
    spec.action !== "DENY" || spec.rules.length > 0,
    "spec.rules",
    "must not be empty: a DENY policy without rules denies nothing (a rule {} matches every request)",
  );
  return { namespace: header.namespace, name: header.name, dryRun, ...spec };
}

function readApiVersion(value: JsonValue, faults: Faults): void {
  if (value === "security.istio.io/v1beta1")
    faults.unsupported("apiVersion", "write security.istio.io/v1, whose fields are the same");
  else faults.unless(value === "security.istio.io/v1", "apiVersion", "must be security.istio.io/v1");
}

function readMetadata(value: JsonValue, faults: Faults): Header | undefined {
  const metadata = faults.object({ value, where: "metadata" });
  if (metadata === undefined) return undefined;
  let name = "";
  let namespace = "";
  let dryRun: string | undefined;
  for (const [key, value] of metadata) {
    const place = { value, where: `metadata.${key}` };
    if (key === "name") name = readText(place, faults);
    else if (key === "namespace") namespace = readText(place, faults);
    else if (key === "labels") readTexts(place, faults);
    else if (key === "annotations") dryRun = readTexts(place, faults).get(DRY_RUN);
    else faults.payload(place.where, "unknown field");
  }
  if (!metadata.has("name")) faults.payload("metadata.name", "must be present");
  if (!metadata.has("namespace")) faults.payload("metadata.namespace", "must be present");
  return { name, namespace, dryRun };
}

function readSpec(value: JsonValue, faults: Faults): Spec | undefined {
  const spec = faults.object({ value, where: "spec" });
  if (spec === undefined) return undefined;
  let action: PolicyAction = "ALLOW";
  let selector: ReadonlyMap<string, string> = new Map();
  let rules: readonly PolicyRule[] = [];
  for (const [name, value] of spec) {
    const place = { value, where: `spec.${name}` };
    const unsupported = UNSUPPORTED_SPEC.get(name);
    if (name === "action") action = readAction(place, faults);
    else if (name === "selector") selector = readSelector(place, faults);
    else if (name === "rules") rules = faults.items(place).map((rule) => readRule(rule, faults));
    else if (unsupported !== undefined) faults.unsupported(place.where, unsupported);
    else faults.payload(place.where, "unknown field");
  }
  return { action, selector, rules };
}

function readAction({ value, where }: Place, faults: Faults): PolicyAction {
  if (value === "ALLOW" || value === "DENY" || value === "AUDIT") return value;
  if (value === "CUSTOM") faults.unsupported(where, "CUSTOM calls a service that the control plane names");
  else faults.payload(where, "must be ALLOW, DENY or AUDIT");
  return "ALLOW";
}

function readSelector(place: Place, faults: Faults): ReadonlyMap<string, string> {
  let labels: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of faults.object(place) ?? []) {
    const where = `${place.where}.${name}`;
    if (name !== "matchLabels") {
      faults.payload(where, "unknown field");
      continue;
    }
    labels = readTexts({ value, where }, faults);
    for (const [key, text] of labels) {
      const isPlain = key !== "" && !key.includes("*") && !text.includes("*");
      faults.unless(isPlain, `${where}.${key}`, "must be a label without wildcards");
    }
  }
  return labels;
}

function readDryRun(text: string | undefined, action: PolicyAction, faults: Faults): boolean {
  if (text === undefined) return false;
  const dryRun = BOOLS.get(text);
  const isValid = dryRun !== undefined && action !== "AUDIT";
  faults.unless(isValid, `metadata.annotations.${DRY_RUN}`, "must be true or false, on ALLOW or DENY");
  return dryRun ?? false;
}

function readText({ value, where }: Place, faults: Faults): string {
  if (typeof value === "string" && value !== "") return value;
  faults.payload(where, "must be a text");
  return "";
}

function readTexts(place: Place, faults: Faults): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, value] of faults.object(place) ?? []) {
    if (typeof value === "string") texts.set(name, value);
    else faults.payload(`${place.where}.${name}`, "must be a text");
  }
  return texts;
}
