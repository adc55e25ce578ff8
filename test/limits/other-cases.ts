/** Limits whose cases are too large for the corpus, or are not about envelopes: a push, the configuration, the pin. */
import { bytesField, varintField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { ConfigError } from "../../xds-proxy/src/errors.ts";
import * as LIMITS from "../../xds-proxy/src/gen/limits.ts";
import { encodeBundle, parseBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { parsePin } from "../../xds-proxy/src/owner/pin.ts";
import { verifyBundle } from "../../xds-proxy/src/owner/verify-bundle.ts";
import { single } from "../corpus/case.ts";
import { json, policyValue } from "../corpus/documents.ts";
import { forgeText } from "../corpus/forge.ts";
import { namespaceCase, object } from "../corpus/namespace.ts";
import { testable } from "../filter/testable.ts";
import { Gate } from "../host/gate.ts";
import { Owner, pinOf, withOuterFresh } from "../scenarios/owner.ts";
import { both } from "./corpus-cases.ts";
import type { LimitCase, Verdicts } from "./corpus-cases.ts";

export const OTHER_CASES: Readonly<Record<string, LimitCase>> = {
  PUSH_DATA_MAX_BYTES: limit(LIMITS.PUSH_DATA_MAX_BYTES, push, "SIZE"),
  ENVELOPES_MAX_COUNT: limit(LIMITS.ENVELOPES_MAX_COUNT, statements, "SIZE"),
  CONFIGURATION_MAX_BYTES: limit(LIMITS.CONFIGURATION_MAX_BYTES, configuration, "SIZE"),
  CONFIGURATION_SETS_MAX_COUNT: limit(LIMITS.CONFIGURATION_SETS_MAX_COUNT, sets, "PAYLOAD"),
  FRESH_ENTRIES_MAX_COUNT: limit(LIMITS.FRESH_ENTRIES_MAX_COUNT, freshEntries, "PAYLOAD"),
  RULES_MAX_COUNT: limit(LIMITS.RULES_MAX_COUNT, rules, "SIZE"),
  TRUST_DOMAIN_ALIASES_MAX_COUNT: limit(LIMITS.TRUST_DOMAIN_ALIASES_MAX_COUNT, aliases, "refused"),
};

function limit(max: number, judge: (value: number) => Promise<Verdicts> | Verdicts, refused: string): LimitCase {
  return { at: () => judge(max), past: () => judge(max + 1), refused };
}

/** Any bytes; nothing signs data that is too long, because its size is asked for first. */
function push(bytes: number): Verdicts {
  const data = new Uint8Array(bytes);
  const text = forgeText({ use: "push", data, signers: ["push"] });
  return both(single({ comment: "", expect: [data], envelopes: [text], want: { use: "push" } }));
}

function statements(count: number): Verdicts {
  const objects = [object({ name: "p" })];
  const [text = ""] = objects[0]?.texts ?? [];
  const envelopes = Array.from({ length: count }, () => text);
  const { filter, typescript } = both(namespaceCase({ comment: "", expect: "MIXED", objects, envelopes }));
  // Statements of one object are MIXED, which is asked for after their count.
  const named = (result: string | undefined): string => (result === "MIXED" ? "ok" : String(result));
  return { filter: named(filter), typescript: named(typescript) };
}

async function configuration(bytes: number): Promise<Verdicts> {
  const owner = await Owner.create({ ns: "team-a" });
  const text = encodeBundle([await owner.bundle({ policies: [] })]);
  const padded = text.replace("{", `{${" ".repeat(bytes - text.length)}`);
  return { filter: deliver(new Gate([owner]), padded) };
}

/** Of one namespace, which is MIXED; how many there are is asked for before. */
async function sets(count: number): Promise<Verdicts> {
  const owner = await Owner.create({ ns: "team-a" });
  const bundle = await owner.bundle({ policies: [] });
  const result = deliver(new Gate([owner]), encodeBundle(Array.from({ length: count }, () => bundle)));
  return { filter: result === "MIXED" ? "ok" : result };
}

async function freshEntries(count: number): Promise<Verdicts> {
  const owner = await Owner.create({ ns: "team-a" });
  const fresh = Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, "AAAA"]));
  const text = withOuterFresh([await owner.bundle({ policies: [] })], fresh);
  return {
    filter: deliver(new Gate([owner]), text),
    typescript: unlessRefused(() => parseBundle(text, "-"), "PAYLOAD"),
  };
}

async function rules(count: number): Promise<Verdicts> {
  const owner = await Owner.create({ ns: "team-a" });
  const spec = { action: "DENY", rules: Array.from({ length: count }, () => ({})) };
  const bundle = await owner.bundle({ policies: [{ name: "p", spec }] });
  const pin = parsePin(pinOf([owner]), "pin");
  const verdict = verifyBundle({ pin, bundle, nowMs: Date.now(), states: new Map(), recipient: undefined });
  return { filter: deliver(new Gate([owner]), encodeBundle([bundle])), typescript: verdict.result };
}

async function aliases(count: number): Promise<Verdicts> {
  const owner = await Owner.create({ ns: "team-a" });
  const names = Array.from({ length: count }, (_, i) => `old-${i}.example`);
  const pin = pinOf([owner], "istio-system", names);
  const isPin = testable().call((memory) => {
    const { ptr, length } = memory.putText(pin);
    return testable().fn("envelopeIsPin")(ptr, length) === 1;
  });
  return { filter: isPin ? "ok" : "refused", typescript: unlessRefused(() => parsePin(pin, "pin"), "refused") };
}

/** The code under which the refusal was counted. */
function deliver(gate: Gate, configuration: string): string {
  return gate.deliver({ configuration }) === "ACK" ? "ok" : Object.keys(gate.refusals()).join();
}

function unlessRefused(read: () => unknown, refused: string): string {
  try {
    read();
    return "ok";
  } catch (error) {
    if (error instanceof ConfigError) return refused;
    throw error;
  }
}

/** A message whose field 6 (`Via`, the deepest message there is) holds messages in messages. */
export function nestedTo(depth: number): Verdicts {
  let inner = varintField(1, 1);
  for (let level = 3; level <= depth; level++) inner = bytesField(3, inner);
  const data = json(policyValue());
  const message = (fields: readonly Uint8Array[]): readonly Uint8Array[] => [...fields, bytesField(6, inner)];
  const text = forgeText({ use: "cfg", data, signers: ["cfg"], message });
  return both(single({ comment: "", expect: [data], envelopes: [text] }));
}
