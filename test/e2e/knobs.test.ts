/** What a root asks for besides keys, changed by rotation in one running Envoy. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RootDocument } from "../../xds-proxy/src/envelope/documents.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import type { Policy } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

let owner: Owner;
let gate: Gate;
let ver = 0;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ pin: pinOf([owner]), app: "shop" });
});
afterAll(async () => {
  await gate.stop();
});

/** A successor root with these members, and a set of these policies under it. */
async function rotateTo(root: Partial<RootDocument>, policies: readonly Policy[]): Promise<void> {
  owner = await owner.rotate({ root });
  await gate.accepts(await owner.bundle({ policies, ver: String(++ver) }));
}

test("default: without policies nothing is allowed, or all is, as the owner says", async () => {
  await rotateTo({ default: "deny" }, []);
  await gate.enforces();
  await rotateTo({ default: "istio" }, []);
  await gate.enforces("/1", "/2", "/3", "/4", "/5");
  await rotateTo({ default: "istio" }, [allow("/1")]);
  await gate.enforces("/1");
});

test("mode monitor: nothing is refused, and what would be is counted", async () => {
  await rotateTo({ mode: "monitor", default: "deny" }, [allow("/1")]);
  await gate.enforces("/1", "/2", "/3", "/4", "/5");
  await expect.poll(() => gate.metric("would_deny_total"), { timeout: 3_000 }).toBeGreaterThan(0);
  const denied = await gate.metric("denied_total");
  await rotateTo({ mode: "enforce" }, [allow("/1")]);
  await gate.enforces("/1");
  await expect.poll(() => gate.metric("denied_total"), { timeout: 3_000 }).toBeGreaterThan(denied);
});

test("paths strict: an ambiguous path is 400, and as Envoy gives it otherwise", async () => {
  await rotateTo({ paths: "strict" }, [allow("/1*")]);
  await gate.enforces("/1");
  for (const path of ["//1", "/1//x", "/1;x", "/1/%2f", "/1/%5C"]) expect(await gate.get(path)).toBe(400);
  expect(await gate.get("/1/x")).toBe(200);
  expect(await gate.get("/1?q=//")).toBe(200);
  await rotateTo({ paths: "istio" }, [allow("/1*")]);
  await gate.enforces("/1");
  await expect.poll(() => gate.get("/1//x")).toBe(200);
  expect(await gate.get("//1")).toBe(403);
});

test("a dry run is not enforced, and a selector is matched with the node's own labels", async () => {
  const deny = (spec: object, more: Partial<Policy> = {}): Policy => ({
    name: "deny",
    spec: { ...spec, action: "DENY", rules: [{ to: [{ operation: { paths: ["/1"] } }] }] },
    ...more,
  });
  const rules = [allow("/1"), allow("/2")];
  await rotateTo({}, [...rules, deny({}, { annotations: { "istio.io/dry-run": "true" } })]);
  await gate.enforces("/1", "/2");
  await rotateTo({}, [...rules, deny({ selector: { matchLabels: { app: "other" } } })]);
  await gate.enforces("/1", "/2");
  await rotateTo({}, [...rules, deny({ selector: { matchLabels: { app: "shop" } } })]);
  await gate.enforces("/2");
});

test("what the filter cannot enforce is refused as a whole", async () => {
  const custom = { name: "custom", spec: { action: "CUSTOM", provider: { name: "x" }, rules: [{}] } };
  await gate.refuses("UNSUPPORTED", await owner.bundle({ policies: [allow("/1"), custom], ver: String(ver + 1) }));
  const odd = { name: "odd", spec: { action: "ALLOW", rulez: [] } };
  await gate.refuses("PAYLOAD", await owner.bundle({ policies: [allow("/1"), odd], ver: String(ver + 1) }));
  await gate.enforces("/2");
});

test("minEp raised: what was signed under older roots is refused, and versions start again", async () => {
  const before = await owner.bundle({ policies: [allow("/3")], ver: String(ver + 10) });
  const ep = owner.root.ep + 1;
  owner = await owner.rotate({ keys: owner.keys, root: { minEp: ep } });
  await gate.refuses("EPOCH", { ...before, roots: owner.roots });
  await gate.accepts(await owner.bundle({ policies: [allow("/4")], ver: "1" }));
  await gate.enforces("/4");
});

test("the same bad delivery twice: Envoy accepts it the second time without looking, and nothing changes", async () => {
  const good = await owner.bundle({ policies: [allow("/5")], ver: "2" });
  const bad = { ...good, envelopes: [] };
  await gate.refuses("OMITTED", bad);
  await gate.accepts(bad);
  await gate.enforces("/4");
  await gate.accepts(good);
  await gate.enforces("/5");
});
