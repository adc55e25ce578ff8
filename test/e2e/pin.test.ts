/** The pin, in the file that is shipped and in the Envoy that runs it. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeAll, expect, test } from "vitest";
import { pinModule, pinOf as readPin } from "../../xds-proxy/src/pin/pin-module.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate, SHIPPED_MODULE } from "./gate.ts";

let owner: Owner;
let shipped: Uint8Array;
let gate: Gate;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  shipped = await readFile(SHIPPED_MODULE);
});
afterEach(async () => {
  await gate.stop();
});

test("the shipped file has none, and pinning changes nothing else in it", async () => {
  const pin = pinOf([owner]);
  const pinned = pinModule(shipped, pin);
  expect(readPin(shipped)).toBeUndefined();
  expect(readPin(pinned)).toBe(pin);
  expect(pinned.length).toBe(shipped.length);
  const changed = [...pinned.keys()].filter((i) => pinned[i] !== shipped[i]);
  expect(changed.at(-1)! - changed[0]!).toBeLessThan(4 + 4096);

  gate = await Gate.start({});
  await gate.accepts(await owner.bundle({ policies: [allow("/1")] }));
  expect(await gate.get("/1")).toBe(503);
  await gate.sidecar.envoy.log.waitFor(/this module is not pinned/);
  await gate.useModule(pinned);
  await gate.accepts(await owner.bundle({ policies: [allow("/1")] }));
  await gate.enforces("/1");
});

test.each([
  ["of another role", (pin: object) => JSON.stringify({ ...pin, role: "ads" })],
  ["with a member too many", (pin: object) => JSON.stringify({ ...pin, comment: "hello" })],
  ["that is not JSON", () => "{"],
  ["that is empty", () => ""],
])("a pin %s is none", async (_, spoil) => {
  gate = await Gate.start({ pin: spoil(JSON.parse(pinOf([owner])) as object) });
  await gate.accepts(await owner.bundle({ policies: [allow("/1")] }));
  expect(await gate.get("/1")).toBe(503);
  await gate.sidecar.envoy.log.waitFor(/this module is not pinned/);
});

test("a pin of another mesh or trust domain believes nothing of this one", async () => {
  const pin = JSON.parse(pinOf([owner])) as object;
  gate = await Gate.start({ pin: JSON.stringify({ ...pin, mesh: "other" }) });
  await gate.refuses("ROOT_INVALID", await owner.bundle({ policies: [allow("/1")] }));
  await gate.useModule(pinModule(shipped, JSON.stringify({ ...pin, trustDomain: "other.example" })));
  await gate.refuses("ROOT_INVALID", await owner.bundle({ policies: [allow("/1")] }));
  expect(await gate.get("/1")).toBe(500);
});

test("a root that was pinned after a rotation needs none of its predecessors, and may have them", async () => {
  const second = await owner.rotate();
  const renewed = { ...JSON.parse(pinOf([owner])), roots: { "team-a": second.currentDigest } } as object;
  gate = await Gate.start({ pin: JSON.stringify(renewed) });
  const bundle = await second.bundle({ policies: [allow("/1")] });
  await gate.accepts({ ...bundle, roots: second.roots.slice(1) });
  await gate.enforces("/1");
  await gate.accepts(await second.bundle({ policies: [allow("/2")], ver: "2" }));
  await gate.enforces("/2");
  await gate.refuses("ROOT_INVALID", await owner.bundle({ policies: [allow("/1")], ver: "3" }));
});
