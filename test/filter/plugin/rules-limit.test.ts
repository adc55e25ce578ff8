/** The limit that the filter and the command line must agree on. */
import { expect, test } from "vitest";
import { verifyBundle } from "../../../xds-proxy/src/owner/verify-bundle.ts";
import { Gate } from "../../host/gate.ts";
import { Owner, pinOf } from "../../scenarios/owner.ts";
import { parsePin } from "../../../xds-proxy/src/owner/pin.ts";

test.each([
  [16_384, "ok", "ACK"],
  [16_385, "SIZE", "NACK"],
])("%i rules: %s for wpgate verify, %s from the filter", async (length, result, answer) => {
  const owner = await Owner.create({ ns: "team-a" });
  const rules = Array.from({ length }, () => ({}));
  const bundle = await owner.bundle({ policies: [{ name: "p", spec: { action: "DENY", rules } }] });
  const pin = parsePin(pinOf([owner]), "pin");
  expect(verifyBundle({ pin, bundle, nowMs: Date.now(), states: new Map(), recipient: undefined }).result).toBe(result);
  expect(new Gate([owner]).bundles([bundle])).toBe(answer);
});
