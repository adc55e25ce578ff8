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
const BOUND_MS = 50;

interface Shape {
  readonly name: string;
  readonly signed: boolean;
  readonly configuration: string;
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

/** Median of the longest that one of the VMs of a process took, in processor time. */
function blockedMs(owner: Owner, { configuration }: Shape): number {
  const gate = new Gate([owner]);
  const longest: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const times: number[] = [];
    gate.deliver({ configuration, before: () => times.push(cpuMs()) });
    times.push(cpuMs());
    if (round > 0) longest.push(Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? time))));
  }
  return median(longest);
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
  const shape = (name: string, configuration: string): Shape => ({ name, signed: false, configuration });
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
  const policies = (count: number, spec: object): Promise<NamespaceBundle> =>
    owner.bundle({ policies: Array.from({ length: count }, (_, i) => ({ name: `p${i}`, spec })) });
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
  const shape = (name: string, bundle: NamespaceBundle): Shape => ({
    name,
    signed: true,
    configuration: encodeBundle([bundle]),
  });
  return [
    shape("20 policies of 3 rules", await policies(20, rules(3))),
    shape("256 policies of 3 rules", await policies(256, rules(3))),
    shape(
      "16 384 empty rules",
      await policies(1, { action: "DENY", rules: Array.from({ length: 16_384 }, () => ({})) }),
    ),
    shape("9 000 rules, 1.6 MB", await policies(6, rules(1_500))),
    shape("150 000 paths, 1.8 MB", await policies(2, paths(75_000))),
  ];
}

function resultOf(measured: readonly { readonly shape: Shape; readonly ms: number }[]): BenchResult {
  const worst = (signed: boolean): number =>
    Math.max(...measured.filter(({ shape }) => shape.signed === signed).map(({ ms }) => ms));
  return {
    table: [
      ["one configure", "bytes", "ms"],
      ...measured.map(({ shape: { name, signed, configuration }, ms }) => [
        `${signed ? "signed: " : ""}${name}`,
        configuration.length.toLocaleString("en"),
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
