/**
 * Evaluates AuthorizationPolicies as the filter does, to say which rule decides and why. Written for clarity: every rule is
 * looked at, nothing is indexed.
 */
import { compareUtf8 } from "../bytes/octets.ts";
import { isAmbiguousPath } from "./ambiguous-path.ts";
import { holds, pathWithoutQuery } from "./conditions.ts";
import type {
  AuthorizationPolicy,
  Condition,
  DecisionReason,
  PolicyDecision,
  PolicyExplanation,
  PolicyKnobs,
  PolicyNode,
  PolicyRequest,
  PolicyRule,
  RuleTrace,
} from "./types.ts";

export interface PolicyInput {
  /** Of the node's namespace and of the root namespace, in any order. */
  readonly policies: readonly AuthorizationPolicy[];
  readonly node: PolicyNode;
  readonly knobs: PolicyKnobs;
  readonly request: PolicyRequest;
}

export function explainRequest(input: PolicyInput): PolicyExplanation {
  const applicable = input.policies.filter((policy) => applies(policy, input.node));
  const rules = applicable
    .flatMap((policy) => policy.rules.map((rule, index) => trace({ policy, rule, index }, input)))
    .toSorted((left, right) => compareUtf8(left.rule, right.rule));
  const notForThisWorkload = input.policies
    .filter((policy) => !applicable.includes(policy))
    .map((policy) => `${policy.namespace}/${policy.name}`);
  return { decision: decide(applicable, rules, input), notForThisWorkload, rules };
}

/** From its own or from the root namespace, with all the labels that it asks for. */
function applies({ namespace, selector }: AuthorizationPolicy, node: PolicyNode): boolean {
  if (namespace !== node.namespace && namespace !== node.rootNamespace) return false;
  return [...selector].every(([name, value]) => Object.hasOwn(node.labels, name) && node.labels[name] === value);
}

interface NumberedRule {
  readonly policy: AuthorizationPolicy;
  readonly rule: PolicyRule;
  readonly index: number;
}

function trace({ policy, rule, index }: NumberedRule, { node, request }: PolicyInput): RuleTrace {
  const { trustDomain, trustDomainAliases = [] } = node;
  const context = { namespace: policy.namespace, trustDomains: [trustDomain, ...trustDomainAliases] };
  const unmetOf = (conditions: readonly Condition[]): readonly string[] =>
    conditions.filter((condition) => !holds(condition, request, context)).map(({ where }) => where);
  const unmetOfAny = (alternatives: readonly (readonly Condition[])[]): readonly string[] => {
    const unmet = alternatives.map(unmetOf);
    return unmet.some((paths) => paths.length === 0) ? [] : unmet.flat();
  };
  const unmet = [...unmetOfAny(rule.sources), ...unmetOfAny(rule.operations), ...unmetOf(rule.when)];
  return {
    rule: `ns[${policy.namespace}]-policy[${policy.name}]-rule[${index}]`,
    action: policy.action,
    dryRun: policy.dryRun,
    matches: unmet.length === 0,
    unmet,
  };
}

function decide(
  policies: readonly AuthorizationPolicy[],
  rules: readonly RuleTrace[],
  { knobs, request }: PolicyInput,
): PolicyDecision {
  const first = (action: RuleTrace["action"], dryRun: boolean): string | undefined =>
    rules.find((rule) => rule.matches && rule.action === action && rule.dryRun === dryRun)?.rule;
  const silent = { audited: false, shadow: "none", shadowRule: "" } as const;
  const path = pathWithoutQuery(request);
  if (knobs.paths === "strict" && path !== undefined && policies.some(watchesPaths) && isAmbiguousPath(path))
    return { allow: false, status: 400, reason: "ambiguous-path", rule: "", ...silent };

  const denied = first("DENY", false);
  const allowed = first("ALLOW", false);
  const hasAllow = policies.some(({ action, dryRun }) => action === "ALLOW" && !dryRun);
  const reason = reasonOf({ denied, allowed, hasAllow, knobs });
  const allow = reason === "allow-rule" || reason === "no-policy";
  return {
    allow,
    status: allow ? 200 : 403,
    reason,
    rule: denied ?? (reason === "allow-rule" ? allowed : undefined) ?? "",
    audited: first("AUDIT", false) !== undefined,
    ...rehearse(policies, first("DENY", true), first("ALLOW", true)),
  };
}

function reasonOf(found: {
  readonly denied: string | undefined;
  readonly allowed: string | undefined;
  readonly hasAllow: boolean;
  readonly knobs: PolicyKnobs;
}): DecisionReason {
  if (found.denied !== undefined) return "deny-rule";
  if (!found.hasAllow) return found.knobs.default === "deny" ? "default-deny" : "no-policy";
  return found.allowed === undefined ? "no-rule" : "allow-rule";
}

/** What the dry-run policies by themselves would have said. */
function rehearse(
  policies: readonly AuthorizationPolicy[],
  denied: string | undefined,
  allowed: string | undefined,
): Pick<PolicyDecision, "shadow" | "shadowRule"> {
  const rehearsed = policies.filter(({ dryRun }) => dryRun);
  if (rehearsed.length === 0) return { shadow: "none", shadowRule: "" };
  if (denied !== undefined) return { shadow: "denied", shadowRule: denied };
  const passes = allowed !== undefined || !rehearsed.some(({ action }) => action === "ALLOW");
  return { shadow: passes ? "allowed" : "denied", shadowRule: allowed ?? "" };
}

/** Whether a rule in force looks at the path. */
function watchesPaths({ action, dryRun, rules }: AuthorizationPolicy): boolean {
  const isPath = ({ field, names }: Condition): boolean =>
    field === "path" || (field === "header" && names[0]?.toLowerCase() === ":path");
  return (
    action !== "AUDIT" && !dryRun && rules.some(({ operations, when }) => [...operations.flat(), ...when].some(isPath))
  );
}
