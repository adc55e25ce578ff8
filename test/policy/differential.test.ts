import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explainRequest } from "../../xds-proxy/src/policy/evaluate.ts";
import { parsePolicy } from "../../xds-proxy/src/policy/parse.ts";
import { FilterPolicies, filterParse } from "../filter/policy/engine.ts";
import { peerDocument, peerRequest, policyDocument, policyKnobs, policyNode, policyRequest } from "./arbitraries.ts";

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value), "utf8");

describe("filter and command line agree", () => {
  it("on which policies are valid, and where the first fault is", () => {
    let valid = 0;
    fc.assert(
      fc.property(policyDocument, (document) => {
        const payload = bytes(document);
        const { policy, faults } = parsePolicy(payload);
        const [first] = faults;
        if (policy !== undefined) valid++;
        expect(filterParse(payload)).toEqual({ code: first?.code ?? "OK", where: first?.where ?? "" });
      }),
      { numRuns: 3000 },
    );
    expect(valid).toBeGreaterThan(300);
  });

  it("on every decision, the rule that makes it, audit and dry run", () => {
    const seen = new Map<string, number>();
    const isValid = (document: unknown): boolean => parsePolicy(bytes(document)).policy !== undefined;
    const validDocument = policyDocument.filter(isValid);
    const runs = fc.tuple(fc.array(validDocument, { minLength: 1, maxLength: 4 }), policyNode, policyKnobs);
    fc.assert(
      fc.property(
        runs,
        fc.array(policyRequest, { minLength: 5, maxLength: 5 }),
        ([documents, node, knobs], requests) => {
          const payloads = uniqueByName(documents).map(bytes);
          const parsed = payloads.map((payload) => ({ payload, policy: parsePolicy(payload).policy }));
          const policies = parsed.flatMap(({ policy }) => policy ?? []);
          const filter = new FilterPolicies({
            policies: parsed.flatMap(({ payload, policy }) => (policy === undefined ? [] : [payload])),
            node,
            knobs,
          });
          for (const request of requests) {
            const { decision } = explainRequest({ policies, node, knobs, request });
            expect(filter.evaluate(request)).toEqual(decision);
            seen.set(decision.reason, (seen.get(decision.reason) ?? 0) + 1);
            seen.set(decision.shadow, (seen.get(decision.shadow) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 3000 },
    );
    for (const outcome of ["allow-rule", "no-policy", "deny-rule", "no-rule", "default-deny", "ambiguous-path"])
      expect(seen.get(outcome), outcome).toBeGreaterThan(50);
    for (const shadow of ["none", "allowed", "denied"]) expect(seen.get(shadow), shadow).toBeGreaterThan(50);
  });
});

describe("trust domain aliases", () => {
  it("mean the same to both, and matter", () => {
    let byAlias = 0;
    const knobs = { default: "deny", paths: "istio" } as const;
    const documents = fc.array(peerDocument, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        documents,
        policyNode,
        fc.array(peerRequest, { minLength: 8, maxLength: 8 }),
        (given, node, requests) => {
          const payloads = uniqueByName(given)
            .map(bytes)
            .filter((payload) => parsePolicy(payload).policy !== undefined);
          const policies = payloads.flatMap((payload) => parsePolicy(payload).policy ?? []);
          const filter = new FilterPolicies({ policies: payloads, node, knobs });
          for (const request of requests) {
            const { decision } = explainRequest({ policies, node, knobs, request });
            expect(filter.evaluate(request)).toEqual(decision);
            const alone = { ...node, trustDomainAliases: undefined };
            if (explainRequest({ policies, node: alone, knobs, request }).decision.rule !== decision.rule) byAlias++;
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(byAlias).toBeGreaterThan(1000);
  });
});

/** A set holds one object of each name. */
function uniqueByName(documents: readonly unknown[]): readonly unknown[] {
  const named = documents as readonly { readonly metadata: { readonly name: string; readonly namespace: string } }[];
  return [
    ...new Map(
      named.map((document) => [JSON.stringify([document.metadata.namespace, document.metadata.name]), document]),
    ).values(),
  ];
}
