// The policies of all namespaces that apply to this node as one. Where their owners ask for different things the stricter
// one wins: `monitor` counts when all of them say it; `deny`, `strict` and onStale `deny` when one of them does.
import { View } from "../bytes/view";
import { CLOCK_SKEW_SEC } from "../gen/limits";
import { Policy } from "../policy/policy";
import { PolicySet } from "../policy/set";
import { TrustDomains } from "../policy/trust-domains";
import { Knobs, Node } from "../policy/types";
import { SignedState } from "./candidate";
import { Workload } from "./workload";

@final
export class Enforcement {
  constructor(
    readonly policies: PolicySet,
    /** Nothing is refused, everything is counted. */
    readonly monitor: bool,
    /** From this moment on the owners' state is no longer known to be the current one. */
    readonly staleAtMs: i64,
    /** From this moment on nothing is allowed any more. */
    readonly closedAtMs: i64,
  ) {}
}

/** Who the policies are compiled for. */
@final
export class Site {
  constructor(
    readonly workload: Workload,
    readonly rootNamespace: View,
    readonly trustDomains: TrustDomains,
  ) {}
}

export function compile(states: SignedState[], site: Site): Enforcement {
  let monitor = true;
  let defaultDeny = false;
  let strictPaths = false;
  let staleAtMs = i64.MAX_VALUE;
  let closedAtMs = i64.MAX_VALUE;
  const policies: Policy[] = [];
  for (let i = 0; i < states.length; i++) {
    const root = states[i].root;
    const expiresAtMs = (states[i].expiresAtSec + CLOCK_SKEW_SEC) * 1000;
    monitor = monitor && !root.enforce;
    defaultDeny = defaultDeny || root.denyByDefault;
    strictPaths = strictPaths || root.strictPaths;
    staleAtMs = min(staleAtMs, expiresAtMs);
    if (root.denyWhenStale) closedAtMs = min(closedAtMs, expiresAtMs);
    for (let j = 0; j < states[i].policies.length; j++) policies.push(states[i].policies[j]);
  }
  const labels = site.workload.labels;
  const node = new Node(site.workload.namespace, site.rootNamespace, site.trustDomains, labels.names, labels.values);
  const set = PolicySet.compile(policies, node, new Knobs(defaultDeny, strictPaths));
  return new Enforcement(set, monitor, staleAtMs, closedAtMs);
}
