/**
 * The same AuthorizationPolicies twice: native (API server, istiod, RBAC, Envoy) and signed (owner, WasmPlugin, API
 * server, istiod, the filter, Envoy). Each request goes to both, and both must give the same answer for the same reason.
 */
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsePolicy } from "../../../xds-proxy/src/policy/parse.ts";
import type { AuthorizationPolicy } from "../../../xds-proxy/src/policy/types.ts";
import { Cli } from "../../cli/harness.ts";
import { policyOf } from "../../e2e/rbac/enforced.ts";
import { allow, to, type PolicySpec } from "../../e2e/rbac/group.ts";
import { policyData } from "../../scenarios/owner.ts";
import { requestOf } from "./branches.ts";
import { allCases } from "./cases.ts";
import { ALL_FIELDS, Coverage } from "./coverage.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import { chooseEntrances, LABELS, NAMESPACE, ROOT_NAMESPACE } from "./place.ts";
import { describeProbe, PLAIN, type Probe } from "./probe.ts";
import { PROBES_MIN_COUNT, probesFor } from "./probes.ts";
import { Sides } from "./sides.ts";
import { FEATURES_MAX_COUNT, UNSUPPORTED } from "./unsupported.ts";

const SEED = Number(process.env["WPGATE_SEED"] ?? "20261124");
const AT_ONCE = 6;
const FIELD_MIN_COUNT = 8;

const entrances = await chooseEntrances();
const cases = allCases(entrances, SEED);
const tally = { policies: 0, requests: 0, allowed: 0, bothVerdicts: 0 };
const coverage = new Coverage();

let sides: Sides;

beforeAll(async () => {
  process.stdout.write(`policies of seed ${SEED}; set WPGATE_SEED for others\n`);
  sides = await Sides.start(entrances);
});

afterAll(async () => {
  await sides.stop();
});

describe("native and signed policies decide alike", () => {
  it.each(cases.map((each, index) => ({ ...each, index })))("$title", async ({ policies, given, index }) => {
    const documents = policies.map(parsed);
    const probes = probesFor({ policies: documents, entrances, seed: SEED + index, given });
    expect(probes.length).toBeGreaterThanOrEqual(PROBES_MIN_COUNT);
    await sides.enforce(policies);
    const outcomes = await askAll(probes);
    const different = outcomes.filter(({ native, signed }) => JSON.stringify(native) !== JSON.stringify(signed));
    if (different.length > 0) throw new Error(await report(policies, different));
    const others = outcomes.filter(({ native }) => native.status !== 200 && native.status !== 403);
    expect(others, "requests that no policy decided").toEqual([]);
    const allowed = outcomes.filter(({ native }) => native.status === 200).length;
    const requests = probes.map((probe) => requestOf(probe, entrances));
    coverage.add(documents.filter(decides), requests);
    tally.policies += policies.length;
    tally.requests += outcomes.length;
    tally.allowed += allowed;
    tally.bothVerdicts += allowed > 0 && allowed < outcomes.length ? 1 : 0;
  });
});

describe("the test is not hollow", () => {
  it("istiod's RBAC is on one side only", async () => {
    expect((await sides.rbac("native")).length).toBeGreaterThan(0);
    expect(await sides.rbac("signed")).toEqual([]);
  });

  it("in numbers", () => {
    process.stdout.write(`${JSON.stringify({ cases: cases.length, ...tally })}\n`);
    expect(tally.policies).toBeGreaterThanOrEqual(400);
    const share = tally.allowed / tally.requests;
    expect(share, "allowed").toBeGreaterThanOrEqual(0.25);
    expect(share, "allowed").toBeLessThanOrEqual(0.75);
    expect(tally.bothVerdicts / cases.length, "cases with both verdicts").toBeGreaterThanOrEqual(0.6);
  });

  it.each(ALL_FIELDS)("%s decides, in both directions", (name) => {
    const { met, missed } = coverage.of(name);
    expect(met, "requests that it lets a rule match").toBeGreaterThanOrEqual(FIELD_MIN_COUNT);
    expect(missed, "requests that it alone keeps a rule from matching").toBeGreaterThanOrEqual(FIELD_MIN_COUNT);
  });
});

describe("what is not supported is refused", () => {
  const cli = new Cli();
  beforeAll(async () => {
    await cli.init();
  });
  afterAll(() => {
    cli.remove();
  });

  it("and is little", () => {
    expect(new Set(UNSUPPORTED.map(({ feature }) => feature)).size).toBeLessThanOrEqual(FEATURES_MAX_COUNT);
  });

  it.each(UNSUPPORTED)("$feature at signing: $where", async ({ policy, where, apiVersion }) => {
    const document = JSON.parse(dataOf(policy).toString()) as object;
    cli.write("policy.json", JSON.stringify({ ...document, ...(apiVersion !== undefined && { apiVersion }) }));
    const { code, stderr } = await cli.run(["sign", "-C", "team-a", "policy.json"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(where) as string });
    expect(stderr).toContain("not supported");
  });

  const carried = UNSUPPORTED.filter(({ apiVersion }) => apiVersion === undefined);
  it.each(carried)("$feature in the filter, which keeps what it has: $where", async ({ policy }) => {
    await sides.enforce([allow(to({ methods: ["GET"] }))]);
    expect(await sides.refusal([policy])).toBe("UNSUPPORTED");
    const get = await sides.ask(PLAIN);
    const put = await sides.ask({ ...PLAIN, method: "PUT" });
    expect([get.signed.status, put.signed.status]).toEqual([200, 403]);
  });
});

/** AUDIT and dry-run policies have no say in the answer, nor do those for other workloads. */
function decides({ action, dryRun, selector }: AuthorizationPolicy): boolean {
  const labels: Readonly<Record<string, string>> = LABELS;
  return action !== "AUDIT" && !dryRun && [...selector].every(([name, value]) => labels[name] === value);
}

interface Asked {
  readonly probe: string;
  readonly native: Outcome;
  readonly signed: Outcome;
}

async function askAll(probes: readonly Probe[]): Promise<readonly Asked[]> {
  const all: Asked[] = [];
  const waiting = probes.values();
  const work = async (): Promise<void> => {
    for (const probe of waiting) {
      const answers = await sides.ask(probe);
      const [native, signed] = [outcomeOf("native", answers.native), outcomeOf("signed", answers.signed)];
      all.push({ probe: describeProbe(probe), native, signed });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return all;
}

async function report(policies: readonly PolicySpec[], different: readonly Asked[]): Promise<string> {
  const documents = policies.map((policy) => stringify(JSON.parse(dataOf(policy).toString())));
  return [
    `${different.length} requests are answered differently (seed ${SEED})`,
    documents.join("---\n"),
    stringify(different),
    `native RBAC: ${JSON.stringify(await sides.rbac("native"))}`,
  ].join("\n");
}

function parsed(spec: PolicySpec): AuthorizationPolicy {
  const { policy, faults } = parsePolicy(dataOf(spec));
  if (policy === undefined) throw new Error(`not a policy: ${JSON.stringify([faults, spec])}`);
  return policy;
}

function dataOf(policy: PolicySpec): Buffer {
  return Buffer.from(policyData(policy.root === true ? ROOT_NAMESPACE : NAMESPACE, policyOf(policy)));
}
