/** No input and no moment makes a thread answer differently from the canary: whoever does is left out without a word. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { encodeBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import type { Thread } from "../../host/process.ts";
import { newKeys, nowSec, Owner, withOuterFresh } from "../../scenarios/owner.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = nowSec() * 1000;

let owners: readonly Owner[];
/** Sets of one owner that differ in version, time, root and signer, and sets of others. */
let bundles: readonly NamespaceBundle[];
/** Newer fresh statements for the first two sets, the last one by nobody. */
let confirmations: readonly string[];
beforeAll(async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const mesh = await Owner.create({ ns: "istio-system" });
  const rotated = await owner.rotate();
  const iatSec = NOW_MS / 1000;
  owners = [owner, mesh];
  bundles = await Promise.all([
    owner.bundle({ iatSec, policies: [allow("/1")] }),
    owner.bundle({ iatSec, ver: "2", policies: [allow("/2")], freshExpSec: iatSec + 600 }),
    owner.bundle({ iatSec: iatSec + 1_200, ver: "3", policies: [allow("/3")] }),
    owner.bundle({ iatSec, ver: "3", policies: [allow("/4")], keys: newKeys() }),
    rotated.bundle({ iatSec, ver: "4", policies: [allow("/4")] }),
    mesh.bundle({ iatSec, policies: [] }),
    (await Owner.create({ ns: "team-a" })).bundle({ policies: [allow("/5")] }),
  ]);
  confirmations = await Promise.all([
    owner.confirm(bundles[0]!, { ver: "2", iatSec }),
    owner.confirm(bundles[1]!, { ver: "3", iatSec: iatSec + 1_200 }),
    owner.confirm(bundles[0]!, { ver: "4", iatSec, signer: newKeys().fresh }),
  ]);
});

/** Changes one place of a text, or nothing. */
const mutation = fc.option(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), text: fc.string({ maxLength: 3 }) }),
  { freq: 2, nil: undefined },
);
const delivery = fc.record({
  /** Both namespaces in force are rare by chance. */
  sets: fc.oneof(fc.array(fc.nat({ max: 6 }), { maxLength: 2 }), fc.constantFrom([0, 5], [1, 5])),
  /** Which fresh statement is beside the sets, if any. */
  outer: fc.constantFrom(...[undefined, undefined, undefined, undefined, undefined], 0, 1, 2),
  mutation,
  offsetsMs: fc.array(fc.integer({ min: -HOUR_MS, max: 2 * HOUR_MS }), { minLength: 4, maxLength: 4 }),
  environment: fc.constantFrom({}, { A: "1" }),
  noise: fc.boolean(),
  name: fc.constantFrom("wpgate", "other"),
});

test("whatever is delivered, whatever the clocks of the threads say, whatever others write to shared data", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(delivery, { minLength: 1, maxLength: 6 }), (deliveries) => {
      const gate = new Gate(owners, { workers: 2 });
      const taken = new Set<string>();
      for (const { sets, outer, mutation: change, offsetsMs, environment, noise, name } of deliveries) {
        const threads: readonly Thread[] = ["canary", "main", 0, 1];
        const configuration = mutate(configurationOf(sets, outer), change);
        const before = (thread: Thread): void => {
          gate.process.nowMs = NOW_MS + offsetsMs[threads.indexOf(thread)]!;
          if (noise) scramble(gate);
        };
        const answer = gate.deliver({ name, configuration, environment, before });
        seen.add(answer);
        if (answer === "ACK") taken.add(name);
        gate.tick();
        for (const plugin of taken) {
          expect(gate.bypassed(plugin)).toEqual([]);
          expect(gate.request("/5", { plugin }).status).not.toBe(200);
          const { details } = gate.request("/1", { plugin, worker: 1 });
          expect(details).not.toBe("trap");
          seen.add(details);
        }
      }
      for (const code of Object.keys(gate.refusals())) seen.add(code);
    }),
    { numRuns: 200 },
  );
  // Otherwise the deliveries would prove little.
  for (const what of [
    "ACK",
    "NACK",
    "upstream",
    "wpgate_unverified",
    "ROLLBACK",
    "FRESH_STALE",
    "NOT_YET_VALID",
    "PAYLOAD",
  ])
    expect(seen).toContain(what);
});

function configurationOf(sets: readonly number[], outer: number | undefined): string {
  const chosen = sets.map((i) => bundles[i]!);
  return outer === undefined ? encodeBundle(chosen) : withOuterFresh(chosen, { "team-a": confirmations[outer] });
}

function mutate(text: string, change: { readonly at: number; readonly text: string } | undefined): string {
  if (!change) return text;
  const at = Math.floor(change.at * text.length);
  return text.slice(0, at) + change.text + text.slice(at + change.text.length);
}

function scramble(gate: Gate): void {
  const shared = gate.process.sharedData("");
  for (const [key, { value }] of [...shared.entries]) shared.set(key, value.slice(0, value.length >> 1), 0);
}
