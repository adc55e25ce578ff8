import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEnvoy } from "../../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../../xds-proxy/src/demo/envoy-process.ts";
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { explainRequest } from "../../../xds-proxy/src/policy/evaluate.ts";
import { parsePolicy } from "../../../xds-proxy/src/policy/parse.ts";
import type { AuthorizationPolicy, PolicyDecision, PolicyKnobs } from "../../../xds-proxy/src/policy/types.ts";
import { FilterPolicies } from "../../filter/policy/engine.ts";
import { policyData, TRUST_DOMAIN } from "../../scenarios/owner.ts";
import { asPolicyRequest } from "./as-policy-request.ts";
import { OPERATION_GROUPS } from "./cases-operation.ts";
import { POLICY_GROUPS } from "./cases-policy.ts";
import { HEADER_GROUPS, JWT_GROUPS } from "./cases-request.ts";
import { SOURCE_GROUPS } from "./cases-source.ts";
import { STRICT_GROUPS } from "./cases-strict.ts";
import { TRUST_DOMAIN_GROUPS } from "./cases-trust-domain.ts";
import { Authority } from "../../scenarios/certificates.ts";
import { Enforcer, policyOf, ROOT_NAMESPACE } from "./enforced.ts";
import type { Group, PolicySpec, Row, TrustDomains } from "./group.ts";
import { TokenIssuer } from "./json-web-token.ts";
import {
  ALLOW_SHADOW,
  AUDIT,
  bootstrapOf,
  DENY_SHADOW,
  DRY_RUN,
  RULE,
  WORKLOAD,
  type ListenerOptions,
} from "./listeners.ts";
import { nativeFilters } from "./native.ts";
import type { Answer } from "../../scenarios/http-answer.ts";
import { RawClient } from "./raw-client.ts";

const GROUPS: readonly Group[] = [
  ...OPERATION_GROUPS,
  ...SOURCE_GROUPS,
  ...TRUST_DOMAIN_GROUPS,
  ...HEADER_GROUPS,
  ...JWT_GROUPS,
  ...POLICY_GROUPS,
];
const NODE = {
  namespace: WORKLOAD.NAMESPACE,
  rootNamespace: ROOT_NAMESPACE,
  labels: WORKLOAD.LABELS,
};
const ISTIO = { default: "istio", paths: "istio" } as const;

let envoy: EnvoyProcess;
let client: RawClient;
let enforcer: Enforcer;

beforeAll(async () => {
  const issuer = new TokenIssuer();
  const authority = await Authority.create();
  client = new RawClient({ authority, issuer });
  enforcer = await Enforcer.create();
  const filtered = await Promise.all([
    ...GROUPS.map((group, index) => enforced({ name: `wpgate-${index}`, knobs: ISTIO, tls: usesTls(group), ...group })),
    ...STRICT_GROUPS.map((group, index) => enforced({ name: `strict-${index}`, ...group })),
  ]);
  const bootstrap = bootstrapOf([...GROUPS.map(native), ...filtered], {
    jwks: issuer.jwks,
    server: await authority.issue({ dns: "server.example" }),
    clientAuthority: authority.certificate,
  });
  envoy = await startEnvoy({ binary: await findEnvoy({ environment: process.env }), bootstrap });
  await ready();
});

afterAll(async () => {
  await envoy.stop();
  await enforcer.close();
});

describe.each(GROUPS.map((group, index) => ({ ...group, index })))("$title", (group) => {
  const rows = [
    ...group.allowed.map((row) => [row, true] as const),
    ...group.denied.map((row) => [row, false] as const),
  ];
  it.each(rows.map(([row, allow]) => ({ name: describeRow(row), row, allow })))("$name", async ({ row, allow }) => {
    const native = await ask(`native-${group.index}`, row);
    expect(native.status, "native RBAC").toBe(allow ? 200 : 403);
    const answer = await ask(`wpgate-${group.index}`, row);
    expect(answer.status, "wpgate").toBe(native.status);
    if (allow) expect(said(answer, DRY_RUN), "wpgate, dry run").toBe(nativeShadow(native));
    if (row.shadow !== undefined) expect(nativeShadow(native)).toBe(row.shadow);
    // What Envoy's normalization leaves of a path only the filter inside Envoy knows.
    for (const [engine, decision] of Object.entries(group.normalize === true ? {} : decisions(group, ISTIO, row))) {
      expect(decision.status, engine).toBe(native.status);
      if (!allow) continue;
      expect(decision.shadow, `${engine}, dry run`).toBe(nativeShadow(native));
      expect(said(answer, RULE), `${engine}, rule`).toBe(decision.rule || "none");
      expect(said(answer, AUDIT), `${engine}, audit`).toBe(decision.audited ? "1" : "none");
    }
  });
});

describe.each(STRICT_GROUPS.map((group, index) => ({ ...group, index })))("stricter: $title", (group) => {
  const rows = ([200, 400, 403] as const).flatMap((status) => group.rows[status].map((row) => ({ row, status })));
  it.each(rows.map(({ row, status }) => ({ name: describeRow(row), row, status })))(
    "$name",
    async ({ row, status }) => {
      expect((await ask(`strict-${group.index}`, row)).status, "wpgate").toBe(status);
      for (const [engine, decision] of Object.entries(decisions(group, group.knobs, row)))
        expect(decision.status, engine).toBe(status);
    },
  );
});

/** While Envoy compiles a module for each listener it answers nobody, not even on its admin interface. */
async function ready(): Promise<void> {
  let ended = "";
  void envoy.ended.then((how) => (ended = how));
  await until({
    what: "Envoy with all listeners",
    timeoutMs: 100_000,
    probe: async () => {
      if (ended !== "") throw new Error(`${ended}: ${envoy.log.tail(8)}`);
      return await envoy.admin.ready().then(
        () => true,
        () => undefined,
      );
    },
  });
}

async function ask(listener: string, row: Row): Promise<Answer> {
  return await client.send(await envoy.admin.listenerPort(listener), row);
}

function native(group: Group, index: number): ListenerOptions {
  const { normalize = false } = group;
  return { name: `native-${index}`, filters: nativeFilters(group.native), normalize, tls: usesTls(group) };
}

async function enforced(group: {
  readonly name: string;
  readonly policies: readonly PolicySpec[];
  readonly knobs: PolicyKnobs;
  readonly trustDomains?: TrustDomains;
  readonly normalize?: boolean;
  readonly tls?: boolean;
}): Promise<ListenerOptions> {
  const { name, policies, knobs, trustDomains, normalize = false, tls = false } = group;
  return { name, filters: await enforcer.filters({ vmId: name, policies, knobs, trustDomains }), normalize, tls };
}

function usesTls({ allowed, denied }: Group): boolean {
  return [...allowed, ...denied].some(({ client }) => client !== undefined);
}

/** What the two engines say without Envoy around them. */
function decisions(
  group: { readonly policies: readonly PolicySpec[]; readonly trustDomains?: TrustDomains },
  knobs: PolicyKnobs,
  row: Row,
): Readonly<Record<string, PolicyDecision>> {
  const request = asPolicyRequest(row);
  const payloads = group.policies.map((policy) =>
    policyData(policy.root === true ? ROOT_NAMESPACE : WORKLOAD.NAMESPACE, policyOf(policy)),
  );
  const [trustDomain, ...trustDomainAliases] = group.trustDomains ?? [TRUST_DOMAIN];
  const node = { ...NODE, trustDomain, trustDomainAliases };
  const filter = new FilterPolicies({ policies: payloads, node, knobs });
  return {
    "command line": explainRequest({ policies: payloads.map(parsed), node, knobs, request }).decision,
    "filter's engine": filter.evaluate(request),
  };
}

function parsed(payload: Uint8Array): AuthorizationPolicy {
  const { policy, faults } = parsePolicy(payload);
  if (policy === undefined) throw new Error(`not a policy: ${JSON.stringify(faults)}`);
  return policy;
}

/** What wpgate left for access logs. */
function said({ headers }: Answer, name: string): string {
  const value = headers.get(name) ?? "-";
  return value === "-" ? "none" : value;
}

/** Istio reads both results: one denial is enough. */
function nativeShadow({ headers }: Answer): PolicyDecision["shadow"] {
  const results = [DENY_SHADOW, ALLOW_SHADOW].map((name) => headers.get(name) ?? "-");
  if (results.every((result) => result === "-")) return "none";
  return results.includes("denied") ? "denied" : "allowed";
}

function describeRow(row: Row): string {
  const others = Object.entries(row).filter(([name]) => name !== "line" && name !== "shadow");
  return others.length === 0 ? row.line : `${row.line} ${JSON.stringify(Object.fromEntries(others))}`;
}
