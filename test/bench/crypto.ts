/**
 * The filter's cryptography beside OpenSSL, native, and beside other implementations in WebAssembly and JavaScript, all in one
 * process, whose V8 compiles WebAssembly as Envoy's does. Rates are per second of processor time.
 */
import { measureInterleaved, ratioOf, rounded } from "./bench.ts";
import type { Bench, BenchOptions, BenchResult, Contender, Measured, Rounds } from "./bench.ts";
import { compileWithoutLiftoff } from "./crypto-compiler.ts";
import { envelopeContenders, IN_TYPESCRIPT, IN_WASM } from "./crypto-envelope.ts";
import { assertCompiledAsShipped, FILTER } from "./crypto-filter.ts";
import { NOBLE, OPENSSL } from "./crypto-javascript.ts";
import { goodInputs, OPERATIONS, provenOperations } from "./crypto-partner.ts";
import type { CryptoPartner, Operation, OperationName, Operations } from "./crypto-partner.ts";
import { findPeers } from "./crypto-rivals.ts";

type Group = OperationName | "envelope";
type Rates = ReadonlyMap<string, Measured>;

const ROUNDS: Rounds = { rounds: 9, roundMs: 120, clockMs: processorMs };
/** So many runs between two looks at the clock, which cost a microsecond. */
const BATCH_COUNT = 10;
const PINNED = `${FILTER.name}, pinned key`;
const TITLES: Readonly<Record<Group, string>> = {
  verify: "ECDSA verify, 300 bytes",
  ecdh: "ECDH",
  open: "AES-128-GCM open, 4 KiB",
  sha256: "SHA-256, 64 KiB",
  envelope: "statements of a set of 20",
};
/** As results call them. */
const NAMES: Readonly<Record<OperationName, string>> = {
  verify: "verify_any",
  ecdh: "ecdh",
  open: "aes_gcm",
  sha256: "sha256",
};

async function run(progress: (text: string) => void, { peers: folder }: BenchOptions): Promise<BenchResult> {
  compileWithoutLiftoff();
  assertCompiledAsShipped();
  const { partners: peers, missing } = await findPeers(folder, progress);
  progress("checking every partner");
  const { inputs, expected } = goodInputs();
  const operations = new Map<string, Operations>();
  const partners: readonly CryptoPartner[] = [OPENSSL, FILTER, NOBLE, ...peers];
  for (const partner of partners) operations.set(partner.name, provenOperations(partner, inputs, expected));
  const measured = new Map<Group, Rates>();
  for (const name of OPERATIONS) measured.set(name, await measure(name, contendersOf(name, operations), progress));
  measured.set("envelope", await measure("envelope", await envelopeContenders(), progress));
  return { ...resultOf(measured), notes: missing };
}

function contendersOf(name: OperationName, partners: ReadonlyMap<string, Operations>): readonly Contender[] {
  return [...partners].flatMap(([partner, operations]) => {
    const contender = repeated(partner, operations[name]);
    if (name !== "verify" || operations.pinned === undefined) return [contender];
    return [repeated(PINNED, operations.pinned), contender];
  });
}

function repeated(name: string, { run: once }: Operation): Contender {
  const operation = (): void => {
    for (let i = 0; i < BATCH_COUNT; i++) if (!once()) throw new Error(`${name} refuses what is good`);
  };
  return { name, operation, units: BATCH_COUNT };
}

async function measure(
  group: Group,
  contenders: readonly Contender[],
  progress: (text: string) => void,
): Promise<Rates> {
  return measureInterleaved(contenders, ROUNDS, (text) => {
    progress(`${TITLES[group]}: ${text}`);
  });
}

/** Of the whole process, so that what runs beside it on the machine takes nothing away. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function resultOf(measured: ReadonlyMap<Group, Rates>): BenchResult {
  const of = (group: Group, name: string): Measured => {
    const rates = measured.get(group)?.get(name);
    if (rates === undefined) throw new Error(`${TITLES[group]} of ${name} was not measured`);
    return rates;
  };
  const ratio = (group: Group, one: string, other: string): number =>
    rounded(ratioOf(of(group, one), of(group, other)));
  const bestPeer = (group: OperationName): string => best(measured.get(group) ?? new Map<string, Measured>());
  const reference = (group: Group): string => (group === "envelope" ? IN_TYPESCRIPT : OPENSSL.name);
  const { name: ours } = FILTER;
  return {
    table: [
      ["", "a second", "from", "to", "OpenSSL = 1"],
      ...[...measured].flatMap(([group, rates]) =>
        [...rates].map(([name, rate]) => tableRow(`${TITLES[group]}: ${name}`, rate, of(group, reference(group)))),
      ),
    ],
    ratios: {
      verify_pinned_vs_openssl: ratio("verify", PINNED, OPENSSL.name),
      ...Object.fromEntries(
        OPERATIONS.flatMap((group) => [
          [`${NAMES[group]}_vs_openssl`, ratio(group, ours, OPENSSL.name)] as const,
          [`${NAMES[group]}_vs_best_peer`, ratio(group, ours, bestPeer(group))] as const,
        ]),
      ),
      envelope_vs_typescript: ratio("envelope", IN_WASM, IN_TYPESCRIPT),
    },
    absolute: Object.fromEntries(
      [...measured].flatMap(([group, rates]) =>
        [...rates].map(([name, { medianPerSec }]) => [`${keyOf(group, name)}_perSec`, rounded(medianPerSec)] as const),
      ),
    ),
  };
}

/** The quickest of those who are neither OpenSSL nor ours. */
function best(rates: Rates): string {
  const peers = [...rates].filter(([name]) => ![OPENSSL.name, FILTER.name, PINNED].includes(name));
  const [first] = peers.sort(([, one], [, other]) => other.medianPerSec - one.medianPerSec);
  if (first === undefined) throw new Error("noble takes part at least");
  return first[0];
}

/** `verify_wpgate_pinned_key` */
function keyOf(group: Group, name: string): string {
  return `${group}_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}`;
}

function tableRow(name: string, rates: Measured, reference: Measured): readonly string[] {
  const { medianPerSec, minPerSec, maxPerSec } = rates;
  const numbers = [medianPerSec, minPerSec, maxPerSec].map((value) => rounded(value).toLocaleString("en"));
  return [name, ...numbers, ratioOf(rates, reference).toFixed(3)];
}

export const cryptoBench: Bench = { name: "crypto", run };
