/** What the test under load relies on: each set alone answers as it should, and a mix of two sets shows. */
import { expect, test } from "vitest";
import { explainRequest } from "../../../xds-proxy/src/policy/evaluate.ts";
import { parsePolicy } from "../../../xds-proxy/src/policy/parse.ts";
import { policyData, TRUST_DOMAIN, type Policy } from "../../scenarios/owner.ts";
import { pathsOf, policiesOf, statusOf } from "./alternating-sets.ts";
import { Timeline } from "./timeline.ts";

const NODE = { namespace: "team-a", rootNamespace: "istio-system", trustDomain: TRUST_DOMAIN, labels: {} };
const REQUEST = { method: "GET", host: "shop", headers: [] };

function answer(policies: readonly Policy[], path: string): number {
  const parsed = policies.flatMap((policy) => parsePolicy(policyData("team-a", policy)).policy ?? []);
  const knobs = { default: "deny", paths: "strict" } as const;
  const { decision } = explainRequest({ policies: parsed, node: NODE, knobs, request: { ...REQUEST, path } });
  return decision.allow ? 200 : decision.status;
}

test.each([7, 8])("set %i alone", (version) => {
  const paths = pathsOf(version);
  expect(paths.map((path) => answer(policiesOf(version), path))).toEqual(paths.map((path) => statusOf(path, version)));
});

test.each([
  [7, 8, "/mix-odd"],
  [8, 7, "/mix-even"],
])("the ALLOW policy of set %i with the DENY policy of set %i allows what neither set does", (allow, deny, path) => {
  const mix = [policiesOf(allow)[0]!, policiesOf(deny)[1]!];
  expect(answer(mix, path)).toBe(200);
  expect([statusOf(path, allow), statusOf(path, deny)]).toEqual([403, 403]);
});

test("an answer that no set in question gives is reported", () => {
  const timeline = new Timeline();
  const exchange = (path: string, status: number): Parameters<Timeline["possible"]>[0] => {
    const atMs = performance.now();
    return { path, status, startMs: atMs, endMs: atMs, retries: 0 };
  };
  timeline.release(1);
  timeline.enforce(1);
  expect(timeline.unexplained([exchange("/odd", 200), exchange("/even", 403)])).toEqual([]);
  expect(timeline.unexplained([exchange("/odd", 403), exchange("/even", 200)])).toHaveLength(2);
  timeline.release(2);
  const either = ["/odd", "/even", "/version/1", "/version/2"].flatMap((path) => [
    exchange(path, 200),
    exchange(path, 403),
  ]);
  expect(timeline.unexplained(either)).toEqual([]);
  expect(timeline.unexplained([exchange("/mix-odd", 200), exchange("/always", 403)])).toHaveLength(2);
  expect(timeline.unexplained([exchange("/odd", 503), exchange("/odd", 0)])).toHaveLength(2);
  timeline.enforce(2);
  expect(timeline.unexplained([exchange("/odd", 200), exchange("/version/1", 200)])).toHaveLength(2);
});
