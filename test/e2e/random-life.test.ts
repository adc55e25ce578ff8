/**
 * A long random life of one Envoy with two workers. No delivery at no moment may make a worker disagree with the canary:
 * Envoy would leave the filter out there. And whatever happens, the newest state that the owner signed stays in force.
 * The host emulator lives the same life beside it and has to give the same answers, for the same reasons.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { Gate as EmulatedGate } from "../host/gate.ts";
import { nowSec, Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

let owner: Owner;
let gate: Gate;
let emulated: EmulatedGate;
/** What the owner has published so far, newest last. */
let published: NamespaceBundle[] = [];
let inForce: readonly string[] = [];
let ver = 0;

beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ concurrency: 2, pin: pinOf([owner]) });
  emulated = new EmulatedGate([owner], { workers: 2 });
  await believed(await publish(["/1"]), ["/1"]);
  await believed(await publish(["/1"]), ["/1"]);
  await gate.enforces("/1");
});
afterAll(async () => {
  await gate.stop();
});

async function publish(
  paths: readonly string[],
  more: Partial<Parameters<Owner["bundle"]>[0]> = {},
): Promise<NamespaceBundle> {
  return await owner.bundle({ policies: paths.map((path) => allow(path)), ver: String(++ver), ...more });
}

/** Delivers the same to Envoy and to the emulator, and compares what they make of it. */
async function deliver(text: string): Promise<"ACK" | "NACK"> {
  const before = await refusals();
  const emulatedBefore = emulated.refusals();
  const [{ error }, answer] = [await gate.deliver(text), emulate(text)];
  // Envoy does not look again at the very resource that it has just refused.
  if (text === last) return "ACK";
  last = text;
  expect(error === undefined ? "ACK" : "NACK").toBe(answer);
  // Of what it has seen before, Envoy remembers the canary's answer; only its workers count it again, whenever they come to it.
  if (delivered.has(text)) return answer;
  delivered.add(text);
  // A slow worker may still be counting what came before this.
  expect(grown(before, await refusals())).toEqual(expect.arrayContaining(grown(emulatedBefore, emulated.refusals())));
  return answer;
}
let last = "";
const delivered = new Set<string>();

function emulate(configuration: string): "ACK" | "NACK" {
  emulated.process.nowMs = Date.now();
  return emulated.deliver({ configuration, vmId: "wpgate" });
}

async function refusals(): Promise<Readonly<Record<string, number>>> {
  const stats = await gate.sidecar.envoy.admin.stats("wpgate_refused_");
  const rows = [...stats].map(([name, count]) => [/refused_(\w+)_total$/.exec(name)?.[1] ?? name, count] as const);
  return Object.fromEntries(rows);
}

/** The codes that were counted between two looks. */
function grown(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string[] {
  return Object.keys(after)
    .filter((code) => after[code]! > (before[code] ?? 0))
    .sort();
}

async function believed(bundle: NamespaceBundle, paths: readonly string[]): Promise<void> {
  expect(await deliver(encodeBundle([bundle]))).toBe("ACK");
  published = [...published, bundle];
  inForce = paths;
}

/** Envoy may take it or not; nothing changes. */
async function hostile(bundle: NamespaceBundle | string): Promise<void> {
  await deliver(typeof bundle === "string" ? bundle : encodeBundle([bundle]));
}

const paths = fc
  .uniqueArray(fc.constantFrom("/1", "/2", "/3", "/4", "/5"), { maxLength: 3 })
  .map((list) => list.sort());
const pick = fc.noBias(fc.nat());
const at = <T>(list: readonly T[], index: number): T => list[index % list.length]!;

type Step = () => Promise<void>;
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: paths.map((list) => async () => {
      await believed(await publish(list), list);
    }),
  },
  // A burst: Envoy's threads are busy with one while the next comes.
  {
    weight: 2,
    arbitrary: fc.array(paths, { minLength: 2, maxLength: 4 }).map((lists) => async () => {
      const bundles = await Promise.all(lists.map((list) => publish(list)));
      await Promise.all(bundles.map((bundle) => gate.deliver(encodeBundle([bundle]))));
      expect(bundles.map((bundle) => emulate(encodeBundle([bundle])))).toEqual(bundles.map(() => "ACK"));
      published = [...published, ...bundles];
      inForce = lists.at(-1)!;
    }),
  },
  {
    weight: 1,
    arbitrary: paths.map((list) => async () => {
      owner = await owner.rotate();
      await believed(await publish(list), list);
    }),
  },
  // Any character of a genuine configuration changed.
  {
    weight: 3,
    arbitrary: fc
      .tuple(pick, fc.constantFrom("A", "b", "0", "_", "-", '"', "]", "}", " "))
      .map(([index, character]) => async () => {
        const text = JSON.stringify({ wpgate: 1, sets: [await publish(["/1", "/2", "/3"])] });
        const i = index % text.length;
        await hostile(text[i] === character ? "" : text.slice(0, i) + character + text.slice(i + 1));
      }),
  },
  {
    weight: 2,
    arbitrary: pick.map((index) => async () => {
      await hostile(at(published.slice(0, -1), index));
    }),
  },
  // Parts of an older one among parts of the newest.
  {
    weight: 2,
    arbitrary: fc
      .tuple(pick, fc.subarray(["roots", "fresh", "set", "envelopes"] as const, { minLength: 1, maxLength: 3 }))
      .map(([index, parts]) => async () => {
        const old = at(published.slice(0, -1), index);
        await hostile({ ...published.at(-1)!, ...Object.fromEntries(parts.map((part) => [part, old[part]])) });
      }),
  },
  {
    weight: 1,
    arbitrary: fc.constant(async () => {
      const iatSec = nowSec() - 7_200;
      await hostile(await publish(["/5"], { iatSec, freshExpSec: iatSec + 3_600 }));
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant(async () => {
      await hostile(await publish(["/5"], { iatSec: nowSec() + 3_600 }));
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant(async () => {
      expect(await deliver(encodeBundle([published.at(-1)!]))).toBe("ACK");
    }),
  },
);

test("100 steps, the same in Envoy and in the emulator", async () => {
  const { envoy } = gate.sidecar;
  const vms = await envoy.admin.stat("wasm.wasm_vm_count");
  const life = fc.asyncProperty(fc.array(steps, { minLength: 100, maxLength: 100 }), async (list) => {
    for (const step of list) {
      await step();
      await gate.enforces(...inForce);
      expect(emulated.enforced()).toEqual(emulated.workers.map(() => inForce.join()));
    }
  });
  await fc.assert(life, { numRuns: 1, endOnFailure: true });
  expect(await envoy.admin.stat("wasm.wasm_vm_count")).toBe(vms);
  expect(grown({}, await refusals())).toEqual(grown({}, emulated.refusals()));
  expect(emulated.bypassed()).toEqual([]);
  expect(envoy.log.since(0).filter((line) => line.includes("thread-local"))).toEqual([]);
}, 120_000);
