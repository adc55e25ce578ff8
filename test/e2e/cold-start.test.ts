/** What a hostile carrier can show to an Envoy that has just started and remembers nothing. */
import { afterEach, expect, test } from "vitest";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";
import { encodeFresh, encodeSet } from "../../xds-proxy/src/envelope/documents.ts";
import { newKeys, nowSec, Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

const POLICIES = [allow("/1")];
let gate: Gate;
afterEach(async () => {
  expect(gate.sidecar.app.count()).toBe(0);
  await gate.stop();
});

/** Closed, and said so by the filter itself where Envoy has taken the configuration. */
async function expectClosed(status: 500 | 503): Promise<void> {
  for (const path of ["/1", "/2", "/"]) expect(await gate.get(path)).toBe(status);
}

test("an unpinned module answers 503 to everything, whatever it is given", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({});
  await gate.accepts(await owner.bundle({ policies: POLICIES }));
  await expectClosed(503);
  await gate.sidecar.envoy.log.waitFor(/not pinned/);
});

test("no configuration at all", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ pin: pinOf([owner]) });
  expect((await gate.deliver("")).error).toBeUndefined();
  await expectClosed(503);
});

test("another owner's root under the same name", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const impostor = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ pin: pinOf([owner]) });
  await gate.refuses("ROOT_INVALID", await impostor.bundle({ policies: POLICIES }));
  const grafted = await impostor.bundle({ policies: POLICIES });
  await gate.refuses("KEY_UNKNOWN", { ...grafted, roots: owner.roots });
  await gate.refuses("ROOT_GAP", { ...grafted, roots: [...owner.roots, ...impostor.roots] });
  await gate.refuses("ROOT_INVALID", { ...grafted, roots: [...owner.roots, (await impostor.rotate()).roots.at(-1)!] });
  await expectClosed(500);
});

test("a successor that the old root did not sign", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const keys = newKeys();
  const usurper = await (await Owner.create({ ns: "team-a", keys })).rotate({ keys });
  gate = await Gate.start({ pin: pinOf([owner]) });
  const bundle = await usurper.bundle({ policies: POLICIES });
  await gate.refuses("ROOT_INVALID", { ...bundle, roots: [...owner.roots, usurper.roots.at(-1)!] });
  await expectClosed(500);
});

test("the policies of another namespace of the mesh", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const neighbour = await Owner.create({ ns: "team-b" });
  gate = await Gate.start({ pin: pinOf([owner, neighbour]) });
  await gate.accepts(await neighbour.bundle({ policies: POLICIES }));
  await expectClosed(503);
});

test("a node whose namespace nobody pinned", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ namespace: "team-b", pin: pinOf([owner]) });
  await gate.accepts(await owner.bundle({ policies: POLICIES }));
  await expectClosed(503);
});

test("only the namespace's policies where the mesh has some too", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const mesh = await Owner.create({ ns: "istio-system" });
  gate = await Gate.start({ pin: pinOf([owner, mesh]) });
  await gate.accepts(await owner.bundle({ policies: POLICIES }));
  await expectClosed(503);
});

test("a chain without its last root", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const rotated = await owner.rotate();
  gate = await Gate.start({ pin: pinOf([owner]) });
  const bundle = await rotated.bundle({ policies: POLICIES });
  await gate.refuses("KEY_UNKNOWN", { ...bundle, roots: owner.roots });
  await expectClosed(500);
});

test("a chain without its first root", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const rotated = await owner.rotate();
  gate = await Gate.start({ pin: pinOf([owner]) });
  const bundle = await rotated.bundle({ policies: POLICIES });
  await gate.refuses("ROOT_INVALID", { ...bundle, roots: rotated.roots.slice(1) });
  await expectClosed(500);
});

test.each(["keep", "deny"] as const)("an expired fresh under onStale %s", async (onStale) => {
  const owner = await Owner.create({ ns: "team-a", root: { onStale } });
  gate = await Gate.start({ pin: pinOf([owner]) });
  const iatSec = nowSec() - 7_200;
  await gate.ignores("FRESH_STALE", await owner.bundle({ policies: POLICIES, iatSec, freshExpSec: iatSec + 3_600 }));
  await expectClosed(503);
});

test("an older set with the fresh of its own time, beside today's", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ pin: pinOf([owner]) });
  const iatSec = nowSec() - 7_200;
  const old = await owner.bundle({ policies: POLICIES, iatSec, freshExpSec: iatSec + 3_600 });
  const today = await owner.bundle({ policies: [], ver: "2" });
  await gate.ignores("FRESH_STALE", old);
  await gate.refuses("SET_MISMATCH", { ...old, fresh: today.fresh! });
  await gate.refuses("SET_MISMATCH", { ...today, fresh: old.fresh! });
  await expectClosed(503);
});

test("a fresh by the stolen online key that names an empty set of the thief's", async () => {
  const owner = await Owner.create({ ns: "team-a", root: { default: "istio" } });
  gate = await Gate.start({ pin: pinOf([owner]) });
  const iatSec = nowSec();
  const data = encodeSet({ rcps: [], entries: [] });
  const times = { ver: "2", iatSec, expSec: iatSec + 3_600 };
  const fresh = encodeFresh({ set: { ver: "2", cd: digestOf(data) } });
  const stolen = owner.keys.fresh;
  const signedFresh = encodeBase64Url(await owner.sign("fresh", { ...times, data: fresh }, stolen));
  for (const [code, key] of [
    ["KEY_ROLE", stolen],
    ["KEY_UNKNOWN", SigningKey.generate()],
  ] as const) {
    const set = encodeBase64Url(await owner.sign("set", { ...times, data }, key));
    await gate.refuses(code, { roots: owner.roots, fresh: signedFresh, set, envelopes: [] });
  }
  const genuine = await owner.bundle({ policies: [{ name: "deny-all", spec: {} }] });
  await gate.refuses("SET_MISMATCH", { ...genuine, fresh: signedFresh });
  await expectClosed(500);
});
