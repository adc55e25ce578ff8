/** What the cases have put to the test: each field of a policy as the one that decides. */
import { OPERATION_FIELDS, SOURCE_FIELDS } from "../../../xds-proxy/src/policy/fields.ts";
import type { AuthorizationPolicy, Condition, Field, PolicyRequest } from "../../../xds-proxy/src/policy/types.ts";
import { branchesOf, unmetOf } from "./branches.ts";

/** Keys of `when`, by what they look at. */
const WHEN_FIELDS: readonly Field[] = [
  ...(["principal", "namespace", "serviceAccount", "trustDomain", "remoteIp"] as const),
  ...(["requestPrincipal", "audience", "presenter", "claim", "header"] as const),
  ...(["destinationIp", "port", "sni"] as const),
];

export const ALL_FIELDS: readonly string[] = [
  ...SOURCE_FIELDS.keys(),
  ...OPERATION_FIELDS.keys(),
  ...WHEN_FIELDS.flatMap((field) => [`when ${field}`, `when not ${field}`]),
];

export interface Count {
  /** Requests that a rule with the field matches. */
  readonly met: number;
  /** Requests that it does not match because of the field alone. */
  readonly missed: number;
}

export class Coverage {
  readonly #counts = new Map<string, { met: number; missed: number }>();

  add(policies: readonly AuthorizationPolicy[], requests: readonly PolicyRequest[]): void {
    for (const branch of policies.flatMap(branchesOf))
      for (const request of requests) {
        const unmet = unmetOf(branch, request);
        if (unmet.length === 0) for (const condition of branch.conditions) this.#count(condition, "met");
        else if (unmet[0] !== undefined && unmet.length === 1) this.#count(unmet[0], "missed");
      }
  }

  of(name: string): Count {
    return this.#counts.get(name) ?? { met: 0, missed: 0 };
  }

  #count(condition: Condition, what: "met" | "missed"): void {
    for (const name of namesOf(condition)) {
      const count = this.#counts.get(name) ?? { met: 0, missed: 0 };
      count[what]++;
      this.#counts.set(name, count);
    }
  }
}

function namesOf({ where, field, values, notValues }: Condition): readonly string[] {
  if (!where.includes(".when[")) return [where.slice(where.lastIndexOf(".") + 1)];
  return [...(values.length > 0 ? [`when ${field}`] : []), ...(notValues.length > 0 ? [`when not ${field}`] : [])];
}
