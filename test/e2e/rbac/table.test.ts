import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEnvoy } from "../../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../../xds-proxy/src/demo/envoy-process.ts";
import { explainRequest } from "../../../xds-proxy/src/policy/evaluate.ts";
import { parsePolicy } from "../../../xds-proxy/src/policy/parse.ts";
import type { AuthorizationPolicy, PolicyDecision } from "../../../xds-proxy/src/policy/types.ts";
import { FilterPolicies } from "../../filter/policy/engine.ts";
import { policyData } from "../../scenarios/owner.ts";
import { asPolicyRequest } from "./as-policy-request.ts";
import { OPERATION_GROUPS } from "./cases-operation.ts";
import { POLICY_GROUPS } from "./cases-policy.ts";
import { HEADER_GROUPS, JWT_GROUPS } from "./cases-request.ts";
import { SOURCE_GROUPS } from "./cases-source.ts";
import { Authority } from "./certificates.ts";
import type { Group, PolicySpec, Row } from "./group.ts";
import { TokenIssuer } from "./json-web-token.ts";
import { ALLOW_SHADOW, bootstrapOf, DENY_SHADOW, WORKLOAD } from "./listeners.ts";
import { nativeFilters } from "./native.ts";
import { RawClient, type Answer } from "./raw-client.ts";

const GROUPS: readonly Group[] = [
  ...OPERATION_GROUPS,
  ...SOURCE_GROUPS,
  ...HEADER_GROUPS,
  ...JWT_GROUPS,
  ...POLICY_GROUPS,
];
const ROOT_NAMESPACE = "istio-system";
const NODE = {
  namespace: WORKLOAD.NAMESPACE,
  rootNamespace: ROOT_NAMESPACE,
  trustDomain: "cluster.local",
  labels: WORKLOAD.LABELS,
};
const ISTIO = { default: "istio", paths: "istio" } as const;

let envoy: EnvoyProcess;
let client: RawClient;

beforeAll(async () => {
  const issuer = new TokenIssuer();
  const authority = await Authority.create();
  client = new RawClient({ authority, issuer });
  const listeners = GROUPS.map((group, index) => ({
    name: `native-${index}`,
    filters: nativeFilters(group.native),
    normalize: group.normalize ?? false,
  }));
  const bootstrap = bootstrapOf(listeners, {
    jwks: issuer.jwks,
    server: await authority.issue({ dns: "server.example" }),
    clientAuthority: authority.certificate,
  });
  envoy = await startEnvoy({ binary: await findEnvoy({ environment: process.env }), bootstrap });
  await envoy.admin.ready();
});

afterAll(async () => {
  await envoy.stop();
});

describe.each(GROUPS.map((group, index) => ({ ...group, index })))("$title", (group) => {
  const rows = [
    ...group.allowed.map((row) => ({ row, allow: true })),
    ...group.denied.map((row) => ({ row, allow: false })),
  ];
  it.each(rows.map(({ row, allow }) => ({ name: describeRow(row), row, allow })))("$name", async ({ row, allow }) => {
    const native = await client.send(await envoy.admin.listenerPort(`native-${group.index}`), row);
    expect(native.status, "native RBAC").toBe(allow ? 200 : 403);
    // What Envoy's normalization leaves of a path only the filter inside Envoy knows.
    for (const [engine, decision] of Object.entries(group.normalize === true ? {} : decisions(group, row))) {
      expect(decision.allow, engine).toBe(allow);
      if (allow) expect(decision.shadow, `${engine}, dry run`).toBe(nativeShadow(native));
    }
    if (row.shadow !== undefined) expect(nativeShadow(native)).toBe(row.shadow);
  });
});

function decisions(group: Group, row: Row): Readonly<Record<string, PolicyDecision>> {
  const request = asPolicyRequest(row);
  const payloads = group.policies.map(payloadOf);
  const policies = payloads.map(parsed);
  const filter = new FilterPolicies({ policies: payloads, node: NODE, knobs: ISTIO });
  return {
    "command line": explainRequest({ policies, node: NODE, knobs: ISTIO, request }).decision,
    "filter's engine": filter.evaluate(request),
  };
}

function payloadOf({ name, root, dryRun, spec }: PolicySpec): Uint8Array {
  const annotations = dryRun === undefined ? {} : { annotations: { "istio.io/dry-run": dryRun } };
  return policyData(root === true ? ROOT_NAMESPACE : WORKLOAD.NAMESPACE, { name, spec, ...annotations });
}

function parsed(payload: Uint8Array): AuthorizationPolicy {
  const { policy, faults } = parsePolicy(payload);
  if (policy === undefined) throw new Error(`not a policy: ${JSON.stringify(faults)}`);
  return policy;
}

/** Istio reads both results: one denial is enough. */
function nativeShadow({ headers }: Answer): PolicyDecision["shadow"] {
  const results = [headers.get(DENY_SHADOW), headers.get(ALLOW_SHADOW)].filter(
    (result) => result !== undefined && result !== "-",
  );
  if (results.length === 0) return "none";
  return results.includes("denied") ? "denied" : "allowed";
}

function describeRow({ line, shadow, ...rest }: Row): string {
  void shadow;
  return Object.keys(rest).length === 0 ? line : `${line} ${JSON.stringify(rest)}`;
}
