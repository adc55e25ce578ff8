/** A Guard in a namespace's set is the proxy's business: the filter verifies it as anything that is listed, and it is no policy. */
import { expect, test } from "vitest";
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import { digestOf } from "../../../xds-proxy/src/crypto/sha256.ts";
import { encodeFresh, encodeSet } from "../../../xds-proxy/src/envelope/documents.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { guardObject } from "../../guard/guards.ts";
import { allow, Gate } from "../../host/gate.ts";
import { nowSec, Owner, policyData, POLICY_TYPE } from "../../scenarios/owner.ts";

const GUARD_TYPE = "wpgate.dev/v1/Guard";

async function withGuard(owner: Owner, omit: boolean): Promise<NamespaceBundle> {
  const times = { iatSec: nowSec(), expSec: nowSec() + 3_600, ver: "1" };
  const policy = allow("/1");
  const objects = [
    { rt: POLICY_TYPE, name: `team-a/${policy.name}`, data: policyData("team-a", policy) },
    { rt: GUARD_TYPE, name: "team-a/shop", data: utf8(JSON.stringify(guardObject("team-a"))) },
  ];
  const envelopes = await Promise.all(
    objects.map((object) => owner.sign("cfg", { ...object, ...times }, owner.keys.cfg)),
  );
  const entries = objects.map(({ rt, name, data }) => ({ rt, name, ver: "1", cds: [{ cd: digestOf(data) }] }));
  const set = encodeSet({ rcps: [], entries });
  const fresh = encodeFresh({ set: { ver: "1", cd: digestOf(set) } });
  return {
    roots: owner.roots,
    fresh: encodeBase64Url(await owner.sign("fresh", { data: fresh, ...times }, owner.keys.fresh)),
    set: encodeBase64Url(await owner.sign("set", { data: set, ...times }, owner.keys.cfg)),
    envelopes: envelopes.slice(0, omit ? 1 : 2).map(encodeBase64Url),
  };
}

test("a Guard beside policies is verified and changes no decision", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const gate = new Gate([owner]);
  expect(gate.bundles([await withGuard(owner, false)])).toBe("ACK");
  expect(gate.enforced()).toEqual(["/1"]);
  expect(gate.refusals()).toEqual({});
});

test("a Guard that somebody changed is refused as anything else", async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const gate = new Gate([owner]);
  const bundle = await withGuard(owner, false);
  const [policy = "", guard = ""] = bundle.envelopes;
  const changed = `${guard.slice(0, 40)}${guard[40] === "A" ? "B" : "A"}${guard.slice(41)}`;
  expect(gate.bundles([bundle])).toBe("ACK");
  expect(gate.bundles([{ ...bundle, envelopes: [policy, changed] }])).toBe("NACK");
  expect(gate.bundles([await withGuard(owner, true)])).toBe("ACK");
  expect(gate.enforced()).toEqual(["/1"]);
});
