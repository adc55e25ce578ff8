/** Several plugins in one Envoy, and what a control plane gains by replacing one while another lives: nothing. */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TypeUrl } from "../../xds-proxy/src/demo/resources.ts";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

let gate: Gate;
let owner: Owner;
let old: NamespaceBundle;
let mesh: NamespaceBundle;

beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  const meshOwner = await Owner.create({ ns: "istio-system" });
  gate = await Gate.start({ pin: pinOf([owner, meshOwner]) });
  old = await owner.bundle({ policies: [allow("/1")] });
  const spec = { action: "DENY", rules: [{ to: [{ operation: { paths: ["/3"] } }] }] };
  mesh = await meshOwner.bundle({ policies: [{ name: "deny", spec }] });
});
afterAll(async () => {
  await gate.stop();
});

/** `/1` to `/3` as the second listener answers them. */
async function second(): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const path of ["/1", "/2", "/3"]) statuses.push((await gate.sidecar.get(path, { listener: "second" })).status);
  return statuses;
}

/** Changes `typed_config.config`. */
const plugin =
  (edit: (config: JsonObject) => JsonObject) =>
  (resource: JsonObject): JsonObject => {
    const typed = resource["typed_config"] as JsonObject;
    return { ...resource, typed_config: { ...typed, config: edit(typed["config"] as JsonObject) } };
  };
const inVm = (edit: JsonObject): ReturnType<typeof plugin> =>
  plugin((config) => ({ ...config, vm_config: { ...(config["vm_config"] as JsonObject), ...edit } }));

const vmCount = async (): Promise<number> => await gate.sidecar.envoy.admin.stat("wasm.wasm_vm_count");

test("two plugins with the same code and different configurations share what is proven, in the same VMs", async () => {
  await gate.accepts(old, mesh);
  await gate.enforces("/1");
  const vms = await vmCount();
  gate.sidecar.addListener("second");
  expect((await gate.deliver(encodeBundle([mesh]), { name: "second" })).error).toBeUndefined();
  expect(await second()).toEqual([200, 403, 403]);
  expect(await vmCount()).toBe(vms);
});

test("what one of them learns counts for both", async () => {
  const newer = await owner.bundle({ policies: [allow("/2"), allow("/3")], ver: "2" });
  expect((await gate.deliver(encodeBundle([newer]), { name: "second" })).error).toBeUndefined();
  await gate.enforces("/2");
  expect(await second()).toEqual([403, 200, 403]);
});

test.each([
  ["renaming the plugin", plugin((config) => ({ ...config, name: "renamed" }))],
  ["another root_id", plugin((config) => ({ ...config, root_id: "other" }))],
  ["changing its environment, which makes new VMs", inVm({ environment_variables: { key_values: { A: "1" } } })],
])("%s does not bring an older set back", async (_, edit) => {
  const { error, refusal } = await gate.deliver(encodeBundle([old, mesh]), { edit });
  expect(error).toBeUndefined();
  await refusal("ROLLBACK");
  await gate.enforces("/2");
});

test("nor does taking its listener away, which ends those VMs, and setting it up again", async () => {
  const before = await vmCount();
  const version = gate.sidecar.origin.remove(TypeUrl.listener, "inbound");
  await gate.sidecar.origin.waitForAck(version);
  await expect.poll(vmCount, { timeout: 5_000 }).toBeLessThan(before);
  gate.sidecar.addListener("inbound");
  const edit = inVm({ environment_variables: { key_values: { A: "2" } } });
  const { error, refusal } = await gate.deliver(encodeBundle([old, mesh]), { name: "inbound", edit });
  expect(error).toBeUndefined();
  await refusal("ROLLBACK");
  gate.sidecar.forgetPorts();
  await gate.enforces("/2");
});

test("another vm_id is a cold start, which only the fresh bounds", async () => {
  const edit = inVm({ vm_id: "other" });
  expect((await gate.deliver(encodeBundle([old, mesh]), { name: "inbound", edit })).error).toBeUndefined();
  await gate.enforces("/1");
  expect(await second()).toEqual([403, 200, 403]);
  expect((await gate.deliver(encodeBundle([old, mesh]), { name: "inbound" })).error).toBeUndefined();
  await gate.enforces("/2");
});

test("a set of each namespace, twice in one configuration, is refused", async () => {
  const { error, refusal } = await gate.deliver(encodeBundle([old, old]), { name: "second" });
  expect(error).toBeDefined();
  await refusal("MIXED");
  expect(await second()).toEqual([403, 200, 403]);
});
