/**
 * For how long one `configure` blocks a worker, whatever bytes arrive: the shipped module in the emulated process, compiled by
 * TurboFan as in Envoy, with its own signatures (the host lends none). What nobody signed is the worst that a carrier can send;
 * what an owner signed is as large as the limits let it be.
 */
import { setFlagsFromString } from "node:v8";
import { CONFIGURATION_MAX_BYTES } from "../../xds-proxy/src/gen/limits.ts";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { Gate } from "../host/gate.ts";
import { Owner } from "../scenarios/owner.ts";
import { median, rounded } from "./bench.ts";
import type { Bench, BenchResult } from "./bench.ts";

const ROUNDS = 9;
/** The first one warms up. */
const ROUND_NUMBERS = Array.from({ length: ROUNDS + 1 }, (_, round) => round);
const BOUND_MS = 50;

interface Shape {
  readonly name: string;
  readonly signed: boolean;
  /** One for each round: what a VM knows already costs it nothing. */
  readonly configurations: readonly string[];
}

export const blockedBench: Bench = {
  name: "blocked",
  run: async (progress) => {
    setFlagsFromString("--no-liftoff");
    const owner = await Owner.create({ ns: "team-a" });
    const shapes = [...carriers(await owner.bundle({ policies: [] })), ...(await owners(owner))];
    const measured = shapes.map((shape) => {
      progress(shape.name);
      return { shape, ms: blockedMs(owner, shape) };
    });
    return resultOf(measured);
  },
};

/** Median of what the last VM took that the update reached, in processor time: a worker's, or the canary's that refused. */
function blockedMs(owner: Owner, { configurations }: Shape): number {
  const gate = new Gate([owner]);
  const last: number[] = [];
  for (const [round, configuration] of configurations.entries()) {
    const times: number[] = [];
    gate.deliver({ configuration, before: () => times.push(cpuMs()) });
    times.push(cpuMs());
    const [start = 0, end = 0] = times.slice(-2);
    gate.tick();
    if (round > 0) last.push(end - start);
  }
  return median(last);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** As much as fits, of what takes long to refuse. */
function carriers(real: NamespaceBundle): readonly Shape[] {
  const fill = (head: string, unit: string, tail: string): string =>
    head + unit.repeat(Math.floor((CONFIGURATION_MAX_BYTES - head.length - tail.length) / unit.length)) + tail;
  const around = (changes: Partial<NamespaceBundle>): string => encodeBundle([{ ...real, ...changes }]);
  const text = (bytes: number): string => "A".repeat(bytes);
  const shape = (name: string, configuration: string): Shape => ({
    name,
    signed: false,
    configurations: ROUND_NUMBERS.map(() => configuration),
  });
  return [
    shape("brackets", "[".repeat(CONFIGURATION_MAX_BYTES)),
    shape("numbers", fill('{"wpgate":1,"sets":[', "1,", "1]}")),
    shape("escapes", fill('{"wpgate":1,"sets":["', "\\u0061", '"]}')),
    shape("members", `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join(",")}}`),
    shape("a root as large as can be, read for its namespace", around({ roots: [...real.roots, text(1_480_000)] })),
    shape("skipped roots", around({ roots: [...Array.from({ length: 63 }, () => text(30_000)), ...real.roots] })),
    shape("a set as large as can be", around({ set: text(1_480_000) })),
  ];
}

async function owners(owner: Owner): Promise<readonly Shape[]> {
  const shape = async (name: string, count: number, spec: object): Promise<Shape> => {
    const policies = Array.from({ length: count }, (_, i) => ({ name: `p${i}`, spec }));
    const bundles = ROUND_NUMBERS.map(async (round) => owner.bundle({ policies, ver: String(round + 1) }));
    return { name, signed: true, configurations: (await Promise.all(bundles)).map((bundle) => encodeBundle([bundle])) };
  };
  const rule = (i: number): object => ({
    from: [{ source: { principals: [`cluster.local/ns/team-b/sa/client-${i}`] } }],
    to: [{ operation: { methods: ["GET"], paths: [`/orders/${i}/*`] } }],
  });
  const rules = (count: number): object => ({
    action: "ALLOW",
    rules: Array.from({ length: count }, (_, i) => rule(i)),
  });
  const paths = (count: number): object => ({
    action: "ALLOW",
    rules: [{ to: [{ operation: { paths: Array.from({ length: count }, (_, i) => `/${i}`) } }] }],
  });
  return [
    await shape("20 policies of 3 rules", 20, rules(3)),
    await shape("256 policies of 3 rules", 256, rules(3)),
    await shape("16 384 empty rules", 1, { action: "DENY", rules: Array.from({ length: 16_384 }, () => ({})) }),
    await shape("9 000 rules, 1.7 MB", 6, rules(1_500)),
    await shape("150 000 paths, 1.8 MB", 2, paths(75_000)),
  ];
}

function resultOf(measured: readonly { readonly shape: Shape; readonly ms: number }[]): BenchResult {
  const worst = (signed: boolean): number =>
    Math.max(...measured.filter(({ shape }) => shape.signed === signed).map(({ ms }) => ms));
  return {
    table: [
      ["one configure", "bytes", "ms"],
      ...measured.map(({ shape: { name, signed, configurations }, ms }) => [
        `${signed ? "signed: " : ""}${name}`,
        (configurations[0]?.length ?? 0).toLocaleString("en"),
        ms.toFixed(1),
      ]),
    ],
    ratios: {
      unsigned_vs_50_ms: rounded(worst(false) / BOUND_MS),
      signed_vs_50_ms: rounded(worst(true) / BOUND_MS),
    },
    absolute: { unsigned_worst_ms: rounded(worst(false)), signed_worst_ms: rounded(worst(true)) },
  };
}
