/** A consumer's verdict on one namespace's part of a bundle, policies included. */
import { verifyNamespace } from "../envelope/verify.ts";
import type { RootDocument } from "../envelope/documents.ts";
import type { Payload, Pin, Recipient, TrustState } from "../envelope/types.ts";
import { ParseError } from "../errors.ts";
import type { Code } from "../gen/codes.ts";
import { RULES_MAX_COUNT } from "../gen/limits.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { readContent } from "./content.ts";
import { describe } from "./describe.ts";

export interface VerifyBundleOptions {
  readonly pin: Pin;
  readonly bundle: NamespaceBundle;
  readonly nowMs: number;
  /** By namespace. */
  readonly states: ReadonlyMap<string, TrustState>;
  readonly recipient?: Recipient | undefined;
}

export interface GoodBundle {
  readonly result: "ok";
  readonly ns: string;
  readonly root: RootDocument;
  readonly state: TrustState;
  readonly freshExpSec: number;
  readonly expiresAtSec: number;
  readonly objects: readonly Payload[];
}

export interface RefusedBundle {
  readonly result: Code;
  /** As the roots claim. */
  readonly ns: string;
  readonly where: string;
  readonly reason: string;
}

export type BundleVerdict = GoodBundle | RefusedBundle;

/** Which namespace a part is about is what its roots say; that they are that namespace's is what the pin says. */
export function verifyBundle({ pin, bundle, nowMs, states, recipient }: VerifyBundleOptions): BundleVerdict {
  const ns = claimedNamespace(bundle);
  const verdict = verifyNamespace({ pin, ns, ...bundle, nowMs, state: states.get(ns), recipient });
  if (verdict.result !== "ok") return { ...verdict, ns };
  let rulesCount = 0;
  for (const { rt, name, data } of verdict.payloads) {
    const { policy, faults } = readContent(rt, data);
    const [fault] = faults;
    if (fault !== undefined) return { result: fault.code, ns, where: name, reason: `${fault.where}: ${fault.message}` };
    rulesCount += policy?.rules.length ?? 0;
  }
  if (rulesCount > RULES_MAX_COUNT)
    return { result: "SIZE", ns, where: "rules", reason: `more than ${RULES_MAX_COUNT} rules in all policies` };
  const { root, next, freshExpSec, expiresAtSec, payloads } = verdict;
  return { result: "ok", ns, root, state: next, freshExpSec, expiresAtSec, objects: payloads };
}

function claimedNamespace({ roots }: NamespaceBundle): string {
  try {
    return describe(roots.at(-1) ?? "").claims.ns;
  } catch (error) {
    if (error instanceof ParseError) return "";
    throw error;
  }
}
