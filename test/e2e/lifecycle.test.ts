/** One running Envoy over a life of deliveries: what is believed takes effect, what is not leaves the last good state. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Owner, pinOf } from "../scenarios/owner.ts";
import type { BundleContent } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

describe.each([1, 2])("with %i workers", (concurrency) => {
  let owner: Owner;
  let gate: Gate;
  let ver = 0;
  /** The next version of the set, with these policies. */
  const next = async (content: Partial<BundleContent> = {}): ReturnType<Owner["bundle"]> =>
    await owner.bundle({ policies: [allow("/1")], ver: String(++ver), ...content });

  beforeAll(async () => {
    owner = await Owner.create({ ns: "team-a" });
    gate = await Gate.start({ concurrency, pin: pinOf([owner]) });
  });
  afterAll(async () => {
    await gate.stop();
  });

  test("a refused first delivery leaves it closed", async () => {
    const bundle = await next();
    await gate.refuses("OMITTED", { ...bundle, envelopes: [] });
    await gate.enforces();
    expect(gate.sidecar.app.count()).toBe(0);
  });

  test("the first good delivery opens it for what the owner allows", async () => {
    await gate.accepts(await next());
    await gate.enforces("/1");
    expect(await gate.get("/1")).toBe(200);
    expect(await gate.get("/2")).toBe(403);
    expect((await gate.sidecar.get("/1", { method: "POST" })).status).toBe(403);
  });

  test("who was refused learns nothing, and the access log says which rule decided", async () => {
    const from = gate.sidecar.envoy.log.count;
    expect(await gate.sidecar.get("/1?a=1")).toMatchObject({ status: 200 });
    expect(await gate.sidecar.get("/2?a=1")).toMatchObject({ status: 403, body: "" });
    const { log } = gate.sidecar.envoy;
    await log.waitFor(/^200 GET \/1\?a=1 via_upstream rule=ns\[team-a\]-policy\[allow-1\]-rule\[0\]$/, { from });
    await log.waitFor(/^403 GET \/2\?a=1 wpgate_denied rule=no rule$/, { from });
  });

  test("an update replaces it, in the same VMs", async () => {
    const vms = await gate.sidecar.envoy.admin.stat("wasm.wasm_vm_count");
    await gate.accepts(await next({ policies: [allow("/1"), allow("/2")] }));
    await gate.enforces("/1", "/2");
    expect(await gate.sidecar.envoy.admin.stat("wasm.wasm_vm_count")).toBe(vms);
  });

  test("a policy that a newer set does not list is gone", async () => {
    await gate.accepts(await next({ policies: [allow("/2")] }));
    await gate.enforces("/2");
  });

  test("a set without policies denies everything", async () => {
    await gate.accepts(await next({ policies: [] }));
    await gate.enforces();
    await gate.accepts(await next({ policies: [allow("/2")] }));
    await gate.enforces("/2");
  });

  test("a DENY policy wins", async () => {
    const spec = { action: "DENY", rules: [{ to: [{ operation: { paths: ["/2"] } }] }] };
    await gate.accepts(await next({ policies: [allow("/1"), allow("/2"), { name: "deny", spec }] }));
    await gate.enforces("/1");
    await gate.accepts(await next({ policies: [allow("/2")] }));
    await gate.enforces("/2");
  });

  test.each([
    ["an omitted policy", "OMITTED", (b) => ({ ...b, envelopes: b.envelopes.slice(1) })],
    ["a repeated policy", "MIXED", (b) => ({ ...b, envelopes: [...b.envelopes, b.envelopes[0]!] })],
    [
      "a bit flipped in a policy",
      "SIGNATURE",
      (b) => ({ ...b, envelopes: [flipLastBit(b.envelopes[0]!), b.envelopes[1]!] }),
    ],
    ["no root", "ROOT_INVALID", (b) => ({ ...b, roots: [] })],
    ["what is not base64url", "PROTO", (b) => ({ ...b, set: "?" })],
    ["set and fresh swapped", "USE", (b) => ({ ...b, set: b.fresh!, fresh: b.set! })],
  ] as const satisfies readonly [string, string, Maltreat][])(
    "%s is refused (%s) and changes nothing",
    async (_, code, maltreat) => {
      const bundle = await next({ policies: [allow("/1"), allow("/3")] });
      await gate.refuses(code, maltreat(bundle));
      await gate.enforces("/2");
    },
  );

  test("a foreign owner's keys are not known here", async () => {
    const other = await Owner.create({ ns: "team-b" });
    const bundle = await next({ policies: [allow("/3")], keys: { cfg: other.keys.cfg } });
    await gate.refuses("KEY_UNKNOWN", bundle);
    await gate.enforces("/2");
  });

  test("a foreign namespace's whole bundle says nothing about this one", async () => {
    const other = await Owner.create({ ns: "team-b" });
    await gate.refuses("UNPINNED", await other.bundle({ policies: [allow("/3")], ver: "1000" }));
    await gate.enforces("/2");
  });

  test("the online key can not sign a set", async () => {
    await gate.refuses("KEY_ROLE", await next({ policies: [], keys: { cfg: owner.keys.fresh } }));
    await gate.enforces("/2");
  });

  test("a replayed older set changes nothing", async () => {
    const old = await next({ policies: [allow("/3")] });
    await gate.accepts(await next({ policies: [allow("/4")] }));
    await gate.enforces("/4");
    await gate.ignores("ROLLBACK", old);
    await gate.enforces("/4");
  });

  test("another set under the same version changes nothing", async () => {
    await gate.accepts(await next({ policies: [allow("/1")] }));
    await gate.enforces("/1");
    await gate.ignores("EQUIVOCATION", await owner.bundle({ policies: [allow("/2")], ver: String(ver) }));
    await gate.enforces("/1");
  });

  test("a newer fresh goes on with the set that is in force, an older one is a replay", async () => {
    const [older, newer] = await Promise.all(
      [ver + 1, ver + 2].map((freshVer) =>
        owner.bundle({ policies: [allow("/1")], ver: String(ver), freshVer: String(freshVer) }),
      ),
    );
    ver += 2;
    await gate.accepts(newer!);
    await gate.enforces("/1");
    await gate.ignores("ROLLBACK", older!);
    await gate.enforces("/1");
  });

  test("keys are rotated, root 1 to 2 to 3, and old keys say nothing any more", async () => {
    const first = owner;
    owner = await owner.rotate();
    await gate.accepts(await next({ policies: [allow("/2")] }));
    await gate.enforces("/2");
    owner = await owner.rotate();
    await gate.accepts(await next({ policies: [allow("/3")] }));
    await gate.enforces("/3");
    const late = await next({ policies: [allow("/4")], keys: first.keys });
    await gate.refuses("KEY_UNKNOWN", late);
    const hidden = await first.bundle({ policies: [allow("/4")], ver: String(++ver) });
    await gate.ignores("ROLLBACK", hidden);
    await gate.enforces("/3");
  });

  test("a successor that skips a root is refused", async () => {
    const third = await (await owner.rotate()).rotate();
    const bundle = await third.bundle({ policies: [allow("/4")], ver: String(++ver) });
    await gate.refuses("ROOT_GAP", { ...bundle, roots: [...owner.roots, third.roots.at(-1)!] });
    await gate.enforces("/3");
  });

  test("256 policies", async () => {
    const policies = Array.from({ length: 255 }, (_, i) => allow(`/many/${i}`));
    await gate.accepts(await next({ policies: [...policies, allow("/1")] }));
    await gate.enforces("/1");
    expect(await gate.get("/many/254")).toBe(200);
    expect(await gate.get("/many/255")).toBe(403);
  });

  test("a configuration of 5 MiB is not looked at", async () => {
    const { error, refusal } = await gate.deliver(" ".repeat(5 << 20));
    expect(error).toBeDefined();
    await refusal("SIZE");
    await gate.enforces("/1");
  });

  test("a configuration of 1 MiB", async () => {
    const paths = Array.from({ length: 13_500 }, (_, i) => `/large/${String(i).padStart(50, "0")}`);
    const spec = { action: "ALLOW", rules: [{ to: [{ operation: { paths } }] }] };
    const bundle = await next({ policies: [{ name: "large", spec }, allow("/2")] });
    expect(JSON.stringify(bundle).length).toBeGreaterThan(1 << 20);
    await gate.accepts(bundle);
    await gate.enforces("/2");
    expect(await gate.get(paths.at(-1)!)).toBe(200);
  });
});

type Bundle = Awaited<ReturnType<Owner["bundle"]>>;
type Maltreat = (bundle: Bundle) => Bundle;

function flipLastBit(text: string): string {
  const bytes = Buffer.from(text, "base64url");
  bytes[bytes.length - 1]! ^= 1;
  return bytes.toString("base64url");
}
