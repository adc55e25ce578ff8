/** Fresh statements beside the sets, as online signers keep them current, in a running Envoy. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import type { Code } from "../../xds-proxy/src/gen/codes.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { nowSec, Owner, pinOf, withOuterFresh } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

let owner: Owner;
let gate: Gate;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a", root: { onStale: "deny" } });
  gate = await Gate.start({ concurrency: 2, pin: pinOf([owner]) });
});
afterAll(async () => {
  await gate.stop();
});

const accepts = async (bundle: NamespaceBundle, text: string): Promise<void> => {
  expect(await gate.deliver(withOuterFresh([bundle], { "team-a": text }))).toMatchObject({ error: undefined });
};
const refuses = async (code: Code, bundle: NamespaceBundle, text: string): Promise<void> => {
  const { error, refusal } = await gate.deliver(withOuterFresh([bundle], { "team-a": text }));
  expect(error).toContain("Unable to create Wasm plugin");
  await refusal(code);
};

test("a newer one keeps a set alive, an older one is passed over, garbage changes nothing", async () => {
  const iatSec = nowSec() - 7_200;
  const first = await owner.bundle({ ver: "1", policies: [allow("/1")], iatSec, freshExpSec: iatSec + 3_600 });
  await gate.ignores("FRESH_STALE", first);
  await gate.enforces();
  await accepts(first, await owner.confirm(first, { ver: "2" }));
  await gate.enforces("/1");

  const stranger = SigningKey.generate();
  const second = await owner.bundle({ ver: "4", policies: [allow("/2")] });
  await accepts(second, await owner.confirm(second, { ver: "3", signer: stranger }));
  await gate.enforces("/2");

  const third = await owner.bundle({ ver: "6", policies: [allow("/3")] });
  await refuses("PROTO", third, "?");
  await refuses("KEY_UNKNOWN", third, await owner.confirm(third, { ver: "7", signer: stranger }));
  await gate.enforces("/2");
});

test("a new set whose own is newer than the one beside it is taken in one delivery", async () => {
  const fourth = await owner.bundle({ ver: "8", policies: [allow("/4")] });
  const outer = await owner.confirm(fourth, { ver: "9" });
  await accepts(fourth, outer);
  await gate.enforces("/4");
  await accepts(await owner.bundle({ ver: "10", policies: [allow("/5")] }), outer);
  await gate.enforces("/5");
});
