/**
 * Verification: bytes, trust state and the time in; verified payloads and the next trust state out, or a code and a place.
 * Pure; no clock, no storage, no log. docs/envelope.md is the specification, and its order of checks is the order here.
 */
import { checkNamespace } from "./namespace.ts";
import type { NamespaceInput } from "./namespace.ts";
import { checking, verdictOf } from "./refusal.ts";
import { lastOf, verifyRootChain } from "./roots.ts";
import type { RootsInput } from "./roots.ts";
import { SignatureBudget } from "./signature-budget.ts";
import { verifyStatement } from "./statement.ts";
import type { EnvelopeInput, NamespaceVerdict, Recipient, RootsVerdict, StatementsVerdict, Want } from "./types.ts";

/** What a consumer of configuration calls (section 8). The state is to be stored before the payloads are used. */
export function verifyNamespace(input: NamespaceInput): NamespaceVerdict {
  return verdictOf(() => checkNamespace(input));
}

/** A root chain by itself (section 7). */
export function verifyRoots(input: Omit<RootsInput, "state">): RootsVerdict {
  return verdictOf(() => {
    const { document, cd, exp } = lastOf(verifyRootChain(input));
    return { result: "ok", root: document, rootCd: cd, expSec: exp };
  });
}

export interface StatementsInput extends Omit<RootsInput, "state"> {
  readonly envelopes: readonly EnvelopeInput[];
  readonly want: Want;
  readonly recipient?: Recipient | undefined;
}

/** Statements one by one under their root chain (section 6). This does not show that they are current, nor complete. */
export function verifyStatements(input: StatementsInput): StatementsVerdict {
  return verdictOf(() => {
    const signatures = new SignatureBudget();
    const { document: root } = lastOf(verifyRootChain({ ...input, state: undefined }, signatures));
    const context = { root, clock: { nowMs: input.nowMs, iatMaxSec: 0 }, recipient: input.recipient, signatures };
    const payloads = input.envelopes.map((envelope, i) =>
      checking(`envelopes[${i}]`, () => {
        const { claims, payload } = verifyStatement(envelope, input.want, context);
        return { rt: claims.rt ?? "", name: claims.name ?? "", ver: claims.ver ?? "", data: payload };
      }),
    );
    return { result: "ok", payloads };
  });
}
