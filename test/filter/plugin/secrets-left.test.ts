/** The shipped module's memory: one copy of the recipient key, and nothing of what a sealed policy was opened with. */
import { beforeAll, expect, test } from "vitest";
import { decodeWebpushMessage } from "../../../xds-proxy/src/envelope/format.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import { newReader, Owner } from "../../scenarios/owner.ts";
import type { Reader } from "../../scenarios/owner.ts";
import { occurrences, sealedSecrets } from "../sealed-secrets.ts";

let owner: Owner;
let reader: Reader;
let bundle: NamespaceBundle;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  reader = newReader();
  bundle = await owner.bundle({ policies: [{ ...allow("/1"), readers: [reader.public] }] });
});

const textOf = ({ key, auth }: Reader): string => Buffer.concat([key.exportRaw(), auth]).toString("base64url");

/** Which secrets lie in the memory of the first worker, how often. */
function found(gate: Gate): Readonly<Record<string, number>> {
  const { data } = decodeWebpushMessage(Buffer.from(bundle.envelopes[0]!, "base64url"));
  const privateKey = reader.key.exportRaw();
  const secrets = sealedSecrets(data, { privateKey, publicKey: reader.public.p256dh, auth: reader.auth });
  const all: [string, Uint8Array][] = [
    ["private key", privateKey],
    ["text of the key", Buffer.from(textOf(reader)).subarray(0, 40)],
    ...secrets!.keys,
    ["plaintext", secrets!.plaintextEnd!],
  ];
  const { memory } = gate.vm(0);
  const counts = all.map(([name, needle]) => [name, occurrences(memory, needle)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

test("a sealed policy in force: the key once, the plaintext as the policy", () => {
  const gate = new Gate([owner]);
  expect(gate.deliver({ configuration: "", environment: { WPGATE_RECIPIENT: textOf(reader) } })).toBe("ACK");
  expect(found(gate)).toEqual({ "private key": 1 });
  expect(gate.bundles([bundle], { environment: { WPGATE_RECIPIENT: textOf(reader) } })).toBe("ACK");
  expect(gate.enforced()).toEqual(["/1"]);
  const { plaintext, ...others } = found(gate);
  expect(others).toEqual({ "private key": 1 });
  expect(plaintext).toBeGreaterThan(0);
});

test("a key that is refused leaves nothing", () => {
  const gate = new Gate([owner]);
  for (const text of [`${textOf(reader)}AAAA`, textOf(reader).slice(0, 60)]) {
    expect(gate.deliver({ configuration: "", environment: { WPGATE_RECIPIENT: text } })).toBe("ACK");
    expect(found(gate)).toEqual({});
  }
});

test("a policy sealed for another key leaves nothing of either", () => {
  const gate = new Gate([owner]);
  const environment = { WPGATE_RECIPIENT: textOf(newReader()) };
  gate.bundles([bundle], { environment });
  expect(gate.refusals()).toHaveProperty("RECIPIENT");
});
