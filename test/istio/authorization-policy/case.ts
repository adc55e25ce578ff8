import type { PolicySpec } from "../../e2e/rbac/group.ts";
import type { Probe } from "./probe.ts";

/** Policies that are in force together. */
export interface Case {
  readonly title: string;
  readonly policies: readonly PolicySpec[];
  /** Requests that matter here, beside those that are worked out from the policies. */
  readonly given?: readonly Probe[];
}

export const named = (name: string, policy: PolicySpec): PolicySpec => ({ ...policy, name });
export const inRoot = (policy: PolicySpec): PolicySpec => ({ ...policy, root: true });
export const selecting = (matchLabels: Readonly<Record<string, string>>, policy: PolicySpec): PolicySpec => ({
  ...policy,
  spec: { selector: { matchLabels }, ...policy.spec },
});
export const rehearsed = (policy: PolicySpec, dryRun = "true"): PolicySpec => ({ ...policy, dryRun });
