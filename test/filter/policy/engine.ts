import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { CODES } from "../../../xds-proxy/src/gen/codes.ts";
import type {
  DecisionReason,
  PolicyDecision,
  PolicyKnobs,
  PolicyNode,
  PolicyRequest,
} from "../../../xds-proxy/src/policy/types.ts";
import { testable, type CallMemory, type WasmFunction } from "../testable.ts";

const REASONS: readonly DecisionReason[] = [
  "allow-rule",
  "no-policy",
  "deny-rule",
  "no-rule",
  "default-deny",
  "ambiguous-path",
];
const SHADOWS = ["none", "allowed", "denied"] as const;

export interface FilterVerdict {
  readonly code: string;
  readonly where: string;
}

/** What the filter says of one policy document. */
export function filterParse(payload: Uint8Array): FilterVerdict {
  return testable().call((memory) => {
    testable().fn("policyReset")();
    return add(memory, payload);
  });
}

export interface FilterInput {
  readonly policies: readonly Uint8Array[];
  readonly node: PolicyNode;
  readonly knobs: PolicyKnobs;
}

/** A policy set compiled in the filter's code; the next call replaces it. */
export class FilterPolicies {
  constructor({ policies, node, knobs }: FilterInput) {
    testable().call((memory) => {
      testable().fn("policyReset")();
      for (const payload of policies) {
        const { code, where } = add(memory, payload);
        if (code !== "OK") throw new Error(`the filter refuses a policy: ${code} at ${where}`);
      }
      const { ptr, length } = memory.putText(JSON.stringify(node));
      testable().fn("policyCompile")(ptr, length, Number(knobs.default === "deny"), Number(knobs.paths === "strict"));
    });
  }

  /** Bits of the attributes that can be asked for. */
  get attributes(): number {
    return testable().fn("policyAttributes")();
  }

  evaluate(request: PolicyRequest): PolicyDecision {
    return testable().call((memory) => {
      const { ptr, length } = memory.putText(JSON.stringify(encodeRequest(request)));
      const text = memory.takeString(testable().fn("policyEvaluate")(ptr, length));
      return decodeDecision(JSON.parse(text) as WireDecision);
    });
  }
}

function add(memory: CallMemory, payload: Uint8Array): FilterVerdict {
  const fn = (name: string): WasmFunction => testable().fn(name);
  const code = fn("policyAdd")(memory.put(payload), payload.length);
  return { code: code === 0 ? "OK" : CODES[code - 1]!, where: memory.takeString(fn("policyWhere")()) };
}

interface WireDecision {
  readonly allow: boolean;
  readonly reason: number;
  readonly rule: string;
  readonly audited: boolean;
  readonly shadow: number;
  readonly shadowRule: string;
}

function decodeDecision({ reason, shadow, ...rest }: WireDecision): PolicyDecision {
  const name = REASONS[reason]!;
  const status = rest.allow ? 200 : name === "ambiguous-path" ? 400 : 403;
  return { ...rest, status, reason: name, shadow: SHADOWS[shadow]! };
}

function encodeRequest(request: PolicyRequest): unknown {
  const { path, method, host, remoteAddress, destinationAddress, peerUri, peerDns, peerSubject, sni } = request;
  const texts = {
    path,
    method,
    host,
    remote: remoteAddress,
    destination: destinationAddress,
    uri: peerUri,
    dns: peerDns,
    subject: peerSubject,
    sni,
  };
  const pseudo = { ":path": path, ":method": method, ":authority": host };
  const headers = [...Object.entries(pseudo), ...(request.headers ?? [])].flatMap(([name, value]) =>
    value === undefined ? [] : [[wire(name), wire(value)]],
  );
  const given = Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, wire(text)]]));
  const claims = claimsOf(request.claims ?? {}, []).map(({ path, isArray, values }) => ({
    path: path.map(utf8Wire),
    isArray,
    values: values.map(utf8Wire),
  }));
  return { ...Object.fromEntries(given), headers, claims };
}

interface WireClaim {
  readonly path: readonly string[];
  readonly isArray: boolean;
  readonly values: readonly string[];
}

/** Every claim that is a text or an array, at any depth. */
function claimsOf(value: unknown, path: readonly string[]): readonly WireClaim[] {
  if (typeof value === "string") return [{ path, isArray: false, values: [value] }];
  if (Array.isArray(value)) return [{ path, isArray: true, values: value.filter((item) => typeof item === "string") }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => claimsOf(inner, [...path, name]));
}

/** Octet strings and Unicode texts as base64url. */
const wire = (octets: string): string => encodeBase64Url(Buffer.from(octets, "latin1"));
const utf8Wire = (text: string): string => encodeBase64Url(Buffer.from(text, "utf8"));
