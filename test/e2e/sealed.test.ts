/** Policies that only this workload can read. */
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { newReader, Owner, pinOf } from "../scenarios/owner.ts";
import type { Reader } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

const denySecret = { action: "DENY", rules: [{ to: [{ operation: { paths: ["/2"] } }] }] };
const reader = newReader();
const other = newReader();
let owner: Owner;
let gate: Gate | undefined;

const environmentOf = ({ key, auth }: Reader): Record<string, string> => ({
  WPGATE_RECIPIENT: encodeBase64Url(concat(key.exportRaw(), auth)),
});

beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
});
afterEach(async () => {
  await gate?.stop();
  gate = undefined;
});
afterAll(() => {
  expect(gate).toBeUndefined();
});

const sealedDeny = (...readers: readonly Reader[]): Parameters<Owner["bundle"]>[0]["policies"][number] => ({
  name: "deny-secret",
  spec: denySecret,
  readers: readers.map((r) => r.public),
});

test("the reader enforces what was sealed for it, beside what is plain", async () => {
  gate = await Gate.start({ pin: pinOf([owner]), environment: environmentOf(reader) });
  const policies = [allow("/1"), allow("/2"), sealedDeny(reader, other)];
  const bundle = await owner.bundle({ policies });
  expect(JSON.stringify(bundle)).not.toContain(Buffer.from('"DENY"').toString("base64url").slice(1, -1));
  await gate.accepts(bundle);
  await gate.enforces("/1");

  // Its own copy may not be missing; what is for the other one may.
  const [mine, theirs] = bundle.envelopes.slice(2);
  const plain = bundle.envelopes.slice(0, 2);
  await gate.refuses("OMITTED", { ...bundle, envelopes: [...plain, theirs!] });
  await gate.accepts({ ...bundle, envelopes: [...plain, mine!] });
  await gate.enforces("/1");

  const next = await owner.bundle({ policies: [allow("/1"), allow("/2")], ver: "2" });
  await gate.accepts(next);
  await gate.enforces("/1", "/2");
});

test("a policy sealed for the right key with another secret does not open", async () => {
  gate = await Gate.start({ pin: pinOf([owner]), environment: environmentOf(reader) });
  const mistaken = { ...reader, public: { p256dh: reader.public.p256dh, auth: randomBytes(16) } };
  await gate.refuses("DECRYPT", await owner.bundle({ policies: [allow("/1"), sealedDeny(mistaken)] }));
  expect(await gate.get("/1")).toBe(500);
});

test.each([
  ["another key", environmentOf(other)],
  ["no key", {}],
  ["something that is not a key", { WPGATE_RECIPIENT: "AAAA" }],
])("with %s, nobody makes a sealed DENY vanish", async (_, environment) => {
  gate = await Gate.start({ pin: pinOf([owner]), environment });
  const bundle = await owner.bundle({ policies: [allow("/1"), allow("/2"), sealedDeny(reader)] });
  await gate.refuses("RECIPIENT", bundle);
  await gate.refuses("RECIPIENT", { ...bundle, envelopes: bundle.envelopes.slice(0, 2) });
  expect(await gate.get("/1")).toBe(500);
});
