/** Which implementation checks signatures, and that it makes no difference to any verdict. */
import { beforeAll, describe, expect, test } from "vitest";
import { decodeBase64Url, encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { verifySignature } from "../../host/foreign-functions.ts";
import type { ForeignFunction } from "../../host/foreign-functions.ts";
import { allow, Gate } from "../../host/gate.ts";
import { Owner } from "../../scenarios/owner.ts";

let owner: Owner;
let good: NamespaceBundle;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  good = await owner.bundle({ policies: [allow("/1")] });
});

interface Use {
  readonly answer: string;
  readonly calls: number;
}

/** One tick of the host's timer passes with each look at it; a call of the host's implementation takes `costTicks` more. */
function deliver(host: ForeignFunction | undefined, bundle: NamespaceBundle, costTicks = 0): Use {
  const gate = new Gate([owner], { workers: 0 });
  let calls = 0;
  let ticks = 0;
  gate.process.timerNs = () => BigInt(++ticks) * 1_000n;
  gate.process.foreignFunctions.clear();
  if (host)
    gate.process.foreignFunctions.set("verify_signature", (argument) => {
      calls++;
      ticks += costTicks;
      return host(argument);
    });
  const acknowledged = gate.bundles([bundle]);
  return { answer: [acknowledged, ...Object.keys(gate.refusals())].join(" "), calls };
}

describe("the host's implementation", () => {
  test("is used where it is faster, and not where it is slower", () => {
    // The known answers in two VMs; root, fresh, set and policy in two VMs.
    expect(deliver(verifySignature, good)).toEqual({ answer: "ACK", calls: 2 * 4 + 2 * 4 });
    expect(deliver(verifySignature, good, 1)).toEqual({ answer: "ACK", calls: 2 * 4 });
  });

  test.each<[string, ForeignFunction, number]>([
    ["says yes to everything", () => ({ status: 0, bytes: Uint8Array.of(8, 1) }), 3],
    ["says no to everything", () => ({ status: 0, bytes: Uint8Array.of(18, 0) }), 1],
    ["says yes in another way", () => ({ status: 0, bytes: Uint8Array.of(8, 1, 18, 0) }), 1],
    ["says yes with a failure", () => ({ status: 10, bytes: Uint8Array.of(8, 1) }), 1],
    ["gives no answer", () => ({ status: 0 }), 1],
  ])("is not used when it %s", (_, host, calls) => {
    expect(deliver(host, good)).toEqual({ answer: "ACK", calls: 2 * calls });
    const forged = { ...good, envelopes: [flip(good.envelopes[0]!)] };
    expect(deliver(host, forged).answer).toBe("NACK SIGNATURE");
  });

  test("that fails later is replaced call by call", () => {
    let calls = 0;
    const failing: ForeignFunction = (argument) => (calls++ < 4 ? verifySignature(argument) : { status: 10 });
    expect(deliver(failing, { ...good, envelopes: [flip(good.envelopes[0]!)] }).answer).toBe("NACK SIGNATURE");
    calls = 0;
    expect(deliver(failing, good).answer).toBe("ACK");
  });
});

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
type Edit = (r: bigint, s: bigint) => readonly [bigint, bigint];

test.each<[string, string, Edit]>([
  ["as it was made", "ACK", (r, s) => [r, s]],
  ["with n - s", "ACK", (r, s) => [r, N - s]],
  ["with r and s swapped", "NACK SIGNATURE", (r, s) => [s, r]],
  ["with r = 0", "NACK SIGNATURE", (_, s) => [0n, s]],
  ["with s = 0", "NACK SIGNATURE", (r) => [r, 0n]],
  ["with r = n", "NACK SIGNATURE", (_, s) => [N, s]],
  ["with s = n", "NACK SIGNATURE", (r) => [r, N]],
  ["with r + 1", "NACK SIGNATURE", (r, s) => [r + 1n, s]],
  ["with all bits set", "NACK SIGNATURE", () => [(1n << 256n) - 1n, (1n << 256n) - 1n]],
])("a signature %s gets one verdict from both: %s", (_, verdict, edit) => {
  const bundle = { ...good, envelopes: [editSignature(good.envelopes[0]!, edit)] };
  const native = deliver(verifySignature, bundle);
  expect(native.answer).toBe(verdict);
  expect(native.calls).toBe(verdict === "ACK" ? 2 * 8 : 8);
  expect(deliver(undefined, bundle)).toEqual({ answer: verdict, calls: 0 });
});

/** The signature is the last field of the sender, and the sender the last field of these envelopes. */
function editSignature(text: string, edit: Edit): string {
  const bytes = Buffer.from(decodeBase64Url(text));
  const at = bytes.lastIndexOf(Buffer.from([0x8a, 0x02, 0x40])) + 3;
  const [r, s] = [bytes.subarray(at, at + 32), bytes.subarray(at + 32, at + 64)].map((half) =>
    BigInt(`0x${half.toString("hex")}`),
  );
  const halves = edit(r!, s!).map((half) => Buffer.from(half.toString(16).padStart(64, "0"), "hex"));
  Buffer.concat(halves).copy(bytes, at);
  return encodeBase64Url(bytes);
}

function flip(text: string): string {
  return editSignature(text, (r, s) => [r, s ^ 1n]);
}
