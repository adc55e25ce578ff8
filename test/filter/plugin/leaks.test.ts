/** What stays behind: nothing that grows. */
import { expect, test } from "vitest";
import { encodeBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import { Owner } from "../../scenarios/owner.ts";

const PAGE_BYTES = 65_536;

test("1000 updates, and a request to each, in stable memory", { timeout: 120_000 }, async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const gate = new Gate([owner], { workers: 1 });
  const paths = Array.from({ length: 50 }, (_, i) => `/${String(i).padStart(70, "0")}`);
  const spec = { action: "ALLOW", rules: [{ to: [{ operation: { paths } }] }] };
  const configurations = [];
  for (let ver = 1; ver <= 10; ver++)
    configurations.push(
      encodeBundle([await owner.bundle({ ver: String(ver), policies: [{ name: "p", spec }, allow(`/${ver}`)] })]),
    );
  const pages: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    expect(gate.deliver({ configuration: configurations[Math.min(i, 9)]! })).toBe("ACK");
    expect(gate.status(`/${Math.min(i, 9) + 1}`)).toBe(200);
    pages.push(gate.vm(0).memory.buffer.byteLength / PAGE_BYTES);
  }
  expect(gate.bypassed()).toEqual([]);
  expect(pages[999]).toBe(pages[100]);
});

test("100 000 requests in stable memory", { timeout: 120_000 }, async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const gate = new Gate([owner]);
  gate.bundles([await owner.bundle({ policies: [allow("/1")] })]);
  const sizes: number[] = [];
  for (let i = 0; i < 100_000; i++) {
    gate.request(i % 2 === 0 ? "/1" : "/2");
    if (i % 10_000 === 9_999) sizes.push(gate.vm(0).memory.buffer.byteLength);
  }
  expect(new Set(sizes.slice(1)).size).toBe(1);
});

test("a context that was deleted is unknown, stream or root", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const gate = new Gate([owner]);
  const configuration = encodeBundle([await owner.bundle({ policies: [allow("/1")] })]);
  gate.deliver({ configuration });
  const vm = gate.vm(0);
  expect(gate.status("/1")).toBe(200);
  const roots = [...vm.tickPeriodsMs.keys()];
  expect(roots).toHaveLength(1);
  gate.deliver({ configuration });
  expect([...vm.tickPeriodsMs.keys()]).toHaveLength(1);
  vm.calls.length = 0;
  vm.tickRoot(roots[0]!);
  expect(vm.calls).toEqual([]);
});
