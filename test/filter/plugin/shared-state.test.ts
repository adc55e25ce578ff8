/** Several plugins and VMs in one process, and what shared data is good for: others can erase it, nobody can forge it. */
import { beforeEach, describe, expect, test } from "vitest";
import { encodeBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import type { Delivery } from "../../host/emulator.ts";
import { allow, Gate, pinnedModule } from "../../host/gate.ts";
import type { SharedData } from "../../host/shared-data.ts";
import { newReader, Owner } from "../../scenarios/owner.ts";

let owner: Owner;
let gate: Gate;
let old: NamespaceBundle;
let current: NamespaceBundle;
beforeEach(async () => {
  owner = await Owner.create({ ns: "team-a" });
  gate = new Gate([owner], { workers: 2 });
  old = await owner.bundle({ ver: "1", policies: [allow("/1")] });
  current = await owner.bundle({ ver: "2", policies: [allow("/2")] });
});

const shared = (vmId = ""): SharedData => gate.process.sharedData(vmId);
const bodyKey = (data: SharedData): string => [...data.entries.keys()].find((key) => key.endsWith("/state"))!;

describe("plugins with the same code", () => {
  test("share VMs and what is proven, whichever of them learns it", () => {
    gate.bundles([old], { name: "a" });
    const vms = gate.vmCount;
    gate.bundles([current], { name: "b" });
    expect(gate.vmCount).toBe(vms);
    expect(gate.enforced("a")).toEqual(["/2", "/2"]);
    expect(gate.enforced("b")).toEqual(["/2", "/2"]);
    gate.deliver({ name: "c", configuration: "" });
    expect(gate.enforced("c")).toEqual(["/2", "/2"]);
  });

  test("learn from each other across VMs within a tick", () => {
    gate.bundles([old], { name: "a" });
    gate.bundles([current], { name: "b", environment: { A: "1" } });
    expect(gate.enforced("b")).toEqual(["/2", "/2"]);
    expect(gate.enforced("a")).toEqual(["/1", "/1"]);
    gate.tick();
    expect(gate.enforced("a")).toEqual(["/2", "/2"]);
  });

  test("know nothing of each other under another vm_id", () => {
    gate.bundles([current], { name: "a", vmId: "a" });
    gate.bundles([old], { name: "b", vmId: "b" });
    gate.tick();
    expect(gate.enforced("a")).toEqual(["/2", "/2"]);
    expect(gate.enforced("b")).toEqual(["/1", "/1"]);
  });

  test("and another pin know nothing of each other", async () => {
    const other = await Owner.create({ ns: "team-a" });
    const theirs = await other.bundle({ policies: [allow("/3")] });
    gate.bundles([current], { name: "a" });
    gate.bundles([theirs], { name: "b", module: pinnedModule([other]) });
    gate.tick();
    expect(gate.enforced("a")).toEqual(["/2", "/2"]);
    expect(gate.enforced("b")).toEqual(["/3", "/3"]);
  });
});

describe("an older set stays away", () => {
  test.each<[string, Delivery]>([
    ["under another plugin name", { name: "renamed" }],
    ["in VMs that a changed environment makes", { environment: { A: "1" } }],
  ])("%s", (_, delivery) => {
    gate.bundles([current], { name: "living" });
    gate.bundles([current]);
    expect(gate.bundles([old], delivery)).toBe("ACK");
    expect(gate.refusals()).toMatchObject({ ROLLBACK: 4 });
    expect(gate.enforced(delivery.name)).toEqual(["/2", "/2"]);
  });

  test("when a VM was killed and another of its vm_id lives", () => {
    gate.bundles([current], { name: "living", environment: { A: "1" } });
    gate.bundles([current]);
    gate.remove();
    expect(gate.bundles([old])).toBe("ACK");
    expect(gate.enforced()).toEqual(["/2", "/2"]);
  });

  test("until the last VM of its vm_id is gone", () => {
    gate.bundles([current]);
    gate.remove();
    gate.bundles([old]);
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("in a VM that is made anew after a trap", () => {
    gate.bundles([current]);
    gate.vm(0).hasTrapped = true;
    expect(gate.enforced()).toEqual(["/2", "/2"]);
    expect(gate.deliver({ configuration: "" })).toBe("ACK");
    gate.vm(1).hasTrapped = true;
    expect(gate.enforced()).toEqual(["/2", "/2"]);
  });
});

describe("somebody else writes to shared data", () => {
  test("what was erased is given back by who still knows it", () => {
    gate.bundles([current]);
    shared().entries.clear();
    gate.tick();
    expect(gate.bundles([old], { environment: { A: "1" } })).toBe("ACK");
    expect(gate.enforced()).toEqual(["/2", "/2"]);
  });

  test.each<[string, (data: SharedData, older: string) => void]>([
    ["an older state", (data, older) => data.set(bodyKey(data), Buffer.from(older), 0)],
    ["nothing", (data) => data.set(bodyKey(data), new Uint8Array(), 0)],
    ["noise", (data) => data.set(bodyKey(data), Buffer.from("noise"), 0)],
    ["JSON of another form", (data) => data.set(bodyKey(data), Buffer.from('{"roots":[]}'), 0)],
    ["nested JSON", (data) => data.set(bodyKey(data), Buffer.from("[".repeat(100_000)), 0)],
  ])("%s: who runs keeps what it has, and writes it back", (_, write) => {
    gate.bundles([current]);
    write(shared(), JSON.stringify(old));
    for (const key of shared().entries.keys()) if (key.endsWith("/mark")) shared().set(key, Buffer.from("x"), 0);
    gate.tick();
    expect(gate.enforced()).toEqual(["/2", "/2"]);
    expect(Buffer.from(shared().get(bodyKey(shared()))!.value).toString()).toContain(current.set!);
  });

  test("a forged state is not believed by a VM that knows nothing yet", async () => {
    const thief = await Owner.create({ ns: "team-a" });
    const forged = JSON.stringify(await thief.bundle({ ver: "9", policies: [allow("/5")] }));
    gate.bundles([old], { name: "living" });
    shared().set(bodyKey(shared()), Buffer.from(forged), 0);
    expect(gate.bundles([old], { environment: { A: "1" } })).toBe("ACK");
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("a state that another VM wrote a moment earlier is never overwritten by an older one for long", () => {
    gate.bundles([old]);
    gate.process.fault = ({ name, thread }) => {
      if (name === "proxy_set_shared_data" && thread === "canary") {
        gate.process.fault = () => undefined;
        shared().set(bodyKey(shared()), Buffer.from(JSON.stringify(current)), 0);
      }
      return undefined;
    };
    const between = { ...old, envelopes: old.envelopes };
    expect(gate.bundles([between], { name: "b", environment: { A: "1" } })).toBe("ACK");
    gate.tick();
    gate.tick();
    expect(gate.bypassed("b")).toEqual([]);
  });
});

test("no policy and no key is readable in shared data when the policy was sealed", async () => {
  const reader = newReader();
  const bundle = await owner.bundle({
    policies: [allow("/secret-path", { name: "sealed", readers: [reader.public] })],
  });
  const WPGATE_RECIPIENT = Buffer.concat([reader.key.exportRaw(), reader.auth]).toString("base64url");
  expect(gate.deliver({ configuration: encodeBundle([bundle]), environment: { WPGATE_RECIPIENT } })).toBe("ACK");
  expect(gate.status("/secret-path")).toBe(200);
  const stored = [...shared().entries.values()].map(({ value }) => Buffer.from(value).toString("latin1")).join();
  const decoded = stored.split(/[^\w-]+/).map((text) => Buffer.from(text, "base64url").toString("latin1"));
  for (const text of [stored, ...decoded]) {
    expect(text).not.toContain("secret-path");
    expect(text).not.toContain(WPGATE_RECIPIENT);
  }
});
