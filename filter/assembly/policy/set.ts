import { View } from "../bytes/view";
import { equalsAscii } from "../wire/ascii";
import { isAmbiguousPath } from "./ambiguous-path";
import { Compiler } from "./compile";
import { CompiledRule } from "./compiled-rule";
import { Matcher } from "./matchers";
import { lowerCase } from "./pattern";
import { Action, Condition, Field, Policy, Rule } from "./policy";
import { RuleList } from "./rule-list";
import { Decision, Knobs, Node, Reason, RequestAttributes, Shadow } from "./types";

const NO_POLICY = new Decision(Reason.NoPolicy, "");
const NO_RULE = new Decision(Reason.NoRule, "");
const DEFAULT_DENY = new Decision(Reason.DefaultDeny, "");
const AMBIGUOUS_PATH = new Decision(Reason.AmbiguousPath, "");

/** Every policy that applies to one workload, ready to be asked. Immutable; shared by all requests. */
@final
export class PolicySet {
  private readonly compiler: Compiler;
  private readonly deny: RuleList;
  private readonly allow: RuleList;
  private readonly audit: RuleList;
  private readonly shadowDeny: RuleList;
  private readonly shadowAllow: RuleList;
  private hasAllow: bool = false;
  private hasShadow: bool = false;
  private hasShadowAllow: bool = false;
  /** There are AUDIT or dry-run policies. */
  private hasComments: bool = false;
  /** Ambiguous paths are refused: wanted, and there are rules in force that look at paths. */
  private isStrict: bool = false;

  private constructor(
    private readonly node: Node,
    private readonly knobs: Knobs,
  ) {
    this.compiler = new Compiler(node.trustDomains);
    this.deny = new RuleList(node.trustDomains);
    this.allow = new RuleList(node.trustDomains);
    this.audit = new RuleList(node.trustDomains);
    this.shadowDeny = new RuleList(node.trustDomains);
    this.shadowAllow = new RuleList(node.trustDomains);
  }

  /** Keeps of `policies` (of the node's namespace and of the root namespace, in any order) those that apply to `node`. */
  static compile(policies: Policy[], node: Node, knobs: Knobs): PolicySet {
    const set = new PolicySet(node, knobs);
    const names: NamedRule[] = [];
    for (let i = 0; i < policies.length; i++) if (applies(policies[i], node)) set.register(policies[i], names);
    names.sort((left, right) => left.name.compare(right.name));
    for (let i = 0; i < names.length; i++) set.add(names[i], i);
    return set;
  }

  /** Bit `1 << Attribute` for every attribute that a loaded rule can ask for; nothing else is ever read. */
  get attributes(): u32 {
    return this.compiler.attributes;
  }

  /** Lower-case names of the headers that loaded rules look at. */
  get headerNames(): View[] {
    return this.compiler.headerNames;
  }

  /** Paths of the JWT claims that loaded rules look at. */
  get claimPaths(): View[][] {
    return this.compiler.claimPaths;
  }

  /** What the policies say about one request. Never fails, keeps nothing. */
  evaluate(request: RequestAttributes): Decision {
    const decision = this.decide(request);
    return this.hasComments && decision.reason != Reason.AmbiguousPath ? this.comment(request, decision) : decision;
  }

  private decide(request: RequestAttributes): Decision {
    if (this.isStrict) {
      const path = request.urlPath();
      if (path !== null && isAmbiguousPath(path)) return AMBIGUOUS_PATH;
    }
    const denied = this.deny.first(request);
    if (denied !== null) return denied.decision;
    if (!this.hasAllow) return this.knobs.defaultDeny ? DEFAULT_DENY : NO_POLICY;
    const allowed = this.allow.first(request);
    return allowed !== null ? allowed.decision : NO_RULE;
  }

  /** Adds what AUDIT and the dry-run policies say. */
  private comment(request: RequestAttributes, decision: Decision): Decision {
    const commented = new Decision(decision.reason, decision.rule);
    commented.audited = this.audit.first(request) !== null;
    if (this.hasShadow) this.rehearse(request, commented);
    return commented;
  }

  /** What the dry-run policies by themselves would have said. */
  private rehearse(request: RequestAttributes, decision: Decision): void {
    const denied = this.shadowDeny.first(request);
    const allowed = denied === null ? this.shadowAllow.first(request) : null;
    const passes = denied === null && (allowed !== null || !this.hasShadowAllow);
    decision.shadow = passes ? Shadow.Allowed : Shadow.Denied;
    decision.shadowRule = idOf(denied !== null ? denied : allowed);
  }

  /** Notes what the policy is for, also if it has no rules, and lists its rules. */
  private register(policy: Policy, names: NamedRule[]): void {
    if (policy.dryRun) {
      this.hasShadow = true;
      if (policy.action == Action.Allow) this.hasShadowAllow = true;
    } else if (policy.action == Action.Allow) this.hasAllow = true;
    const isForced = !policy.dryRun && policy.action != Action.Audit;
    if (!isForced) this.hasComments = true;
    for (let i = 0; i < policy.rules.length; i++) {
      names.push(new NamedRule(policy, i));
      if (isForced && looksAtPath(policy.rules[i])) this.isStrict = this.knobs.strictPaths;
    }
  }

  private add(named: NamedRule, order: i32): void {
    const policy = named.policy;
    const rule = policy.rules[named.index];
    const reason = policy.action == Action.Deny ? Reason.DenyRule : Reason.AllowRule;
    const compiled = new CompiledRule(
      new Decision(reason, named.name.toString()),
      order,
      this.alternatives(rule.operations, policy.namespace),
      this.alternatives(rule.sources, policy.namespace),
      this.compiler.conditions(rule.when, policy.namespace),
    );
    this.listOf(policy).add(compiled, rule);
  }

  private alternatives(alternatives: Condition[][], namespace: View): Matcher[][] {
    const compiled: Matcher[][] = [];
    for (let i = 0; i < alternatives.length; i++) compiled.push(this.compiler.conditions(alternatives[i], namespace));
    return compiled;
  }

  private listOf(policy: Policy): RuleList {
    if (policy.action == Action.Audit) return this.audit;
    if (policy.action == Action.Deny) return policy.dryRun ? this.shadowDeny : this.deny;
    return policy.dryRun ? this.shadowAllow : this.allow;
  }
}

/** A rule under the name that Istio gives it, by which Envoy sorts. */
@final
class NamedRule {
  readonly name: View;

  constructor(
    readonly policy: Policy,
    readonly index: i32,
  ) {
    const namespace = policy.namespace.toString();
    this.name = View.utf8(`ns[${namespace}]-policy[${policy.name.toString()}]-rule[${index.toString()}]`);
  }
}

/** Whether a policy is for this workload: from its own or from the root namespace, with all the labels that it asks for. */
function applies(policy: Policy, node: Node): bool {
  if (!policy.namespace.equals(node.namespace) && !policy.namespace.equals(node.rootNamespace)) return false;
  for (let i = 0; i < policy.selectorNames.length; i++) {
    if (!hasLabel(node, policy.selectorNames[i], policy.selectorValues[i])) return false;
  }
  return true;
}

function hasLabel(node: Node, name: View, value: View): bool {
  for (let i = 0; i < node.labelNames.length; i++) {
    if (node.labelNames[i].equals(name)) return node.labelValues[i].equals(value);
  }
  return false;
}

/** Also by way of the header `:path`. */
function looksAtPath(rule: Rule): bool {
  for (let i = 0; i < rule.operations.length; i++) {
    for (let j = 0; j < rule.operations[i].length; j++) if (rule.operations[i][j].field == Field.Path) return true;
  }
  for (let i = 0; i < rule.when.length; i++) {
    if (rule.when[i].field == Field.Header && equalsAscii(lowerCase(rule.when[i].names[0]), ":path")) return true;
  }
  return false;
}

function idOf(rule: CompiledRule | null): string {
  return rule === null ? "" : rule.decision.rule;
}
