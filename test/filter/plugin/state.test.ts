/** A life of deliveries in one process: what is newer and verified takes effect, all else leaves the last good state. */
import { beforeEach, describe, expect, test } from "vitest";
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { digestOf } from "../../../xds-proxy/src/crypto/sha256.ts";
import { encodeFresh, encodeSet } from "../../../xds-proxy/src/envelope/documents.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import { newReader, nowSec, Owner } from "../../scenarios/owner.ts";
import type { Reader } from "../../scenarios/owner.ts";

let owner: Owner;
let gate: Gate;
/** Version `ver` of a set that lets `paths` through. */
const set = async (ver: number, ...paths: readonly string[]): Promise<NamespaceBundle> =>
  await owner.bundle({ ver: String(ver), policies: paths.map((path) => allow(path)) });

beforeEach(async () => {
  owner = await Owner.create({ ns: "team-a" });
  gate = new Gate([owner], { workers: 2 });
});

/** Every thread has the filter, and every worker lets exactly these paths through. */
function expectEnforced(paths: string): void {
  expect(gate.bypassed()).toEqual([]);
  expect(gate.enforced()).toEqual([paths, paths]);
}

describe("updates", () => {
  test("an update takes effect in the same VMs, a policy that is no longer listed is gone", async () => {
    gate.bundles([await set(1, "/1", "/2")]);
    const vm = gate.vm(0);
    expect(gate.bundles([await set(2, "/2", "/3")])).toBe("ACK");
    expectEnforced("/2,/3");
    expect(gate.vm(0)).toBe(vm);
    expect(gate.bundles([await set(3)])).toBe("ACK");
    expectEnforced("");
  });

  test("a refused update changes nothing, and the next good one is taken", async () => {
    gate.bundles([await set(1, "/1")]);
    const bad = await set(2, "/2");
    expect(gate.bundles([{ ...bad, envelopes: [] }])).toBe("NACK");
    expectEnforced("/1");
    expect(gate.bundles([bad])).toBe("ACK");
    expectEnforced("/2");
  });

  test("of two sets one good and one bad, none is applied", async () => {
    const mesh = await Owner.create({ ns: "istio-system" });
    const meshSet = await mesh.bundle({ policies: [] });
    gate = new Gate([owner, mesh], { workers: 2 });
    gate.bundles([await set(1, "/1"), meshSet]);
    expect(gate.bundles([await set(2, "/2"), { ...meshSet, set: meshSet.fresh! }])).toBe("NACK");
    expectEnforced("/1");
  });

  test("a replayed older set is counted and changes nothing", async () => {
    const old = await set(1, "/1");
    gate.bundles([await set(2, "/2")]);
    expect(gate.bundles([old])).toBe("ACK");
    expectEnforced("/2");
    expect(gate.refusals()).toEqual({ ROLLBACK: 4 });
    expect(gate.logTexts()[0]).toBe("wpgate: refused ROLLBACK: team-a state");
  });

  test("an older fresh of the same set is a replay too", async () => {
    const policies = [allow("/1")];
    const first = await owner.bundle({ ver: "1", freshVer: "1", policies });
    gate.bundles([await owner.bundle({ ver: "1", freshVer: "2", policies })]);
    expect(gate.bundles([first])).toBe("ACK");
    expect(gate.refusals()).toEqual({ ROLLBACK: 4 });
    expectEnforced("/1");
  });

  test("another set under the same version is not applied", async () => {
    gate.bundles([await set(1, "/1")]);
    expect(gate.bundles([await set(1, "/2")])).toBe("ACK");
    expect(gate.refusals()).toEqual({ EQUIVOCATION: 4 });
    expectEnforced("/1");
  });

  test("versions are compared as numbers of 64 bits", async () => {
    const signed = async (ver: string, path: string): Promise<NamespaceBundle> =>
      await owner.bundle({ ver, policies: [allow(path)] });
    gate.bundles([await signed("9", "/1")]);
    gate.bundles([await signed("10", "/2")]);
    expectEnforced("/2");
    gate.bundles([await signed("18446744073709551615", "/3")]);
    expectEnforced("/3");
    gate.bundles([await signed("9223372036854775808", "/4")]);
    expectEnforced("/3");
  });

  test("a configuration that carries nothing keeps what is in force", async () => {
    gate.bundles([await set(1, "/1")]);
    expect(gate.deliver({ configuration: "" })).toBe("ACK");
    expectEnforced("/1");
    expect(gate.deliver({ configuration: '{"wpgate":1,"sets":[]}' })).toBe("ACK");
    expectEnforced("/1");
  });
});

describe("keys", () => {
  test("a rotation from root 1 to 3, in one step or two, and nothing under older roots any more", async () => {
    const first = owner;
    gate.bundles([await set(1, "/1")]);
    owner = await owner.rotate();
    gate.bundles([await set(2, "/2")]);
    expectEnforced("/2");
    owner = await owner.rotate();
    gate.bundles([await set(3, "/3")]);
    expectEnforced("/3");
    expect(gate.bundles([await first.bundle({ ver: "4", policies: [allow("/4")] })])).toBe("ACK");
    expect(gate.refusals()).toEqual({ ROLLBACK: 4 });
    const oldKey = await owner.bundle({ ver: "4", policies: [allow("/4")], keys: { cfg: first.keys.cfg } });
    expect(gate.bundles([oldKey])).toBe("NACK");
    expect(gate.refusals()).toMatchObject({ KEY_UNKNOWN: 1 });
    expectEnforced("/3");
    const fresh = new Gate([first], { workers: 1 });
    expect(fresh.bundles([await set(3, "/3")])).toBe("ACK");
    expect(fresh.enforced()).toEqual(["/3"]);
  });

  test("raising minEp takes back versions that went too far", async () => {
    gate.bundles([await owner.bundle({ ver: "18446744073709551615", policies: [allow("/1")] })]);
    owner = await owner.rotate({ root: { minEp: 2 } });
    gate.bundles([await set(1, "/2")]);
    expectEnforced("/2");
    expect(gate.refusals()).toEqual({});
  });

  test("a fork of the chain is EQUIVOCATION", async () => {
    const one = await owner.rotate();
    const two = await owner.rotate();
    owner = one;
    gate.bundles([await set(1, "/1")]);
    owner = two;
    expect(gate.bundles([await set(2, "/2")])).toBe("ACK");
    expect(gate.refusals()).toEqual({ EQUIVOCATION: 4 });
    expectEnforced("/1");
  });

  test("a foreign namespace's keys sign nothing here", async () => {
    const other = await Owner.create({ ns: "team-b" });
    gate.bundles([await set(1, "/1")]);
    const policies = [allow("/2")];
    for (const keys of [{ cfg: other.keys.cfg }, { fresh: other.keys.fresh }])
      expect(gate.bundles([await owner.bundle({ ver: "2", policies, keys })])).toBe("NACK");
    expect(gate.refusals()).toEqual({ KEY_UNKNOWN: 2 });
    expectEnforced("/1");
  });

  test("a stolen online key can neither sign a set nor name one of its own", async () => {
    gate.bundles([await set(1, "/1")]);
    const stolen = owner.keys.fresh;
    expect(gate.bundles([await owner.bundle({ ver: "2", policies: [], keys: { cfg: stolen } })])).toBe("NACK");
    const data = encodeSet({ rcps: [], entries: [] });
    const times = { ver: "2", iatSec: nowSec(), expSec: nowSec() + 3_600 };
    const fresh = await owner.sign(
      "fresh",
      { ...times, data: encodeFresh({ set: { ver: "2", cd: digestOf(data) } }) },
      stolen,
    );
    const forged = await owner.sign("set", { ...times, data }, stolen);
    const bundle = { roots: owner.roots, fresh: encodeBase64Url(fresh), set: encodeBase64Url(forged), envelopes: [] };
    expect(gate.bundles([bundle])).toBe("NACK");
    expect(gate.bundles([{ ...(await set(2, "/2")), fresh: bundle.fresh }])).toBe("NACK");
    expect(gate.refusals()).toEqual({ KEY_ROLE: 2, SET_MISMATCH: 1 });
    expectEnforced("/1");
  });
});

describe("sealed policies", () => {
  const variable = ({ key, auth }: Reader, privateKey = key.exportRaw()): { WPGATE_RECIPIENT: string } => ({
    WPGATE_RECIPIENT: Buffer.concat([privateKey, auth]).toString("base64url"),
  });

  test("are read with the key of the VM's environment, and nobody else's", async () => {
    const [reader, other] = [newReader(), newReader()];
    const policies = [allow("/1"), allow("/2", { readers: [reader.public, other.public] })];
    const bundle = await owner.bundle({ policies });
    expect(gate.bundles([bundle], { environment: variable(reader) })).toBe("ACK");
    expectEnforced("/1,/2");
    for (const environment of [
      {},
      variable(newReader()),
      { WPGATE_RECIPIENT: "" },
      { WPGATE_RECIPIENT: "?" },
      { WPGATE_RECIPIENT: `${variable(reader).WPGATE_RECIPIENT}AAAA` },
      variable(reader, new Uint8Array(32)),
      variable(reader, new Uint8Array(32).fill(0xff)),
      { WPGATE_RECIPIENT_: variable(reader).WPGATE_RECIPIENT },
    ]) {
      const closed = new Gate([owner]);
      expect(closed.bundles([bundle], { environment })).toBe("NACK");
      expect(closed.refusals()).toEqual({ RECIPIENT: 1 });
    }
  });

  test("for others do not concern this workload, but must not hide from it", async () => {
    const [reader, other] = [newReader(), newReader()];
    const spec = { action: "DENY", rules: [{ to: [{ operation: { paths: ["/1"] } }] }] };
    const policies = [allow("/1", { readers: [reader.public] }), { name: "deny", spec, readers: [other.public] }];
    const bundle = await owner.bundle({ policies });
    expect(gate.bundles([bundle], { environment: variable(reader) })).toBe("ACK");
    expectEnforced("/1");
    const kept = [bundle.envelopes[1]!];
    const closed = new Gate([owner]);
    expect(closed.bundles([{ ...bundle, envelopes: kept }], { environment: variable(reader) })).toBe("NACK");
    expect(closed.refusals()).toEqual({ OMITTED: 1 });
  });

  test("the key is not left in the text that the host has written", async () => {
    const reader = newReader();
    gate.bundles([await owner.bundle({ policies: [allow("/1", { readers: [reader.public] })] })], {
      environment: variable(reader),
    });
    expect(Buffer.from(gate.vm(0).memory.buffer).includes(variable(reader).WPGATE_RECIPIENT)).toBe(false);
  });
});

test("256 policies and a configuration of 1 MiB", async () => {
  gate.bundles([await set(1, ...Array.from({ length: 256 }, (_, i) => `/${i}`))]);
  expectEnforced("/1,/2,/3,/4,/5");
  const paths = Array.from({ length: 13_500 }, (_, i) => `/large/${String(i).padStart(50, "0")}`);
  const spec = { action: "ALLOW", rules: [{ to: [{ operation: { paths } }] }] };
  const bundle = await owner.bundle({ ver: "2", policies: [{ name: "large", spec }, allow("/2")] });
  expect(JSON.stringify(bundle).length).toBeGreaterThan(1 << 20);
  expect(gate.bundles([bundle])).toBe("ACK");
  expectEnforced("/2");
  expect(gate.status(paths.at(-1)!)).toBe(200);
});
