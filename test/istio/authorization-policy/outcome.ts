/** What a side did with a request, in words that are the same on both. */
import type { Answer } from "../../scenarios/http-answer.ts";
import { SAID } from "./objects.ts";
import type { Side } from "./place.ts";

export interface Outcome {
  readonly status: number;
  /** Of a refusal: the rule, `none` where no rule allowed; empty when it was no policy that refused. */
  readonly rule: string;
  /** Of a request that was let through: what the dry-run policies said. */
  readonly shadow: string;
}

export function outcomeOf(side: Side, { headers, status }: Answer): Outcome {
  const said = (word: keyof typeof SAID): string => headers.get(SAID[word]) ?? "";
  const isNative = side === "native";
  const rule = isNative ? (NATIVE_REFUSAL.exec(said("details"))?.[1] ?? "") : said("rule").replace(/^no rule$/, "none");
  const shadow = isNative ? nativeShadow([said("denyShadow"), said("allowShadow")]) : said("dryRun");
  return { status, rule: status === 403 ? rule : "", shadow: status === 200 ? shadow : "" };
}

const NATIVE_REFUSAL = /^rbac_access_denied_matched_policy\[(.*)\]$/;

/** Istio reads both results: one denial is enough. */
function nativeShadow(results: readonly string[]): string {
  return results.includes("denied") ? "denied" : (results.find((result) => result !== "") ?? "");
}
