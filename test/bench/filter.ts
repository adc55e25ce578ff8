/**
 * The filter beside native RBAC with the same policy, in one Envoy with one worker, direct responses: requests a second, and
 * Envoy's processor time for a request, which other work on the machine disturbs less.
 */
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import { Enforcer } from "../e2e/rbac/enforced.ts";
import { allow, to, type PolicySpec } from "../e2e/rbac/group.ts";
import { WORKLOAD } from "../e2e/rbac/listeners.ts";
import {
  allOf,
  exact,
  method,
  nativeFilters,
  oneOf,
  path,
  prefix,
  type Json,
  type NativeRule,
} from "../e2e/rbac/native.ts";
import { median, rounded, type Bench, type BenchResult } from "./bench.ts";
import { Load } from "./load.ts";

const SIZES = [3, 20, 200] as const;
const ROUNDS = 21;
const ROUND_MS = 300;
const CONNECTIONS = 16;
const KNOBS = { default: "deny", paths: "strict" } as const;

/** Each rule allows two methods on one resource and what is below it. */
const resource = (i: number): string => `/api/v1/resource-${i}`;

function policy(size: number): PolicySpec {
  const rules = Array.from({ length: size }, (_, i) =>
    to({ methods: ["GET", "POST"], paths: [resource(i), `${resource(i)}/*`] }),
  );
  return allow(...rules);
}

function nativeRule(i: number): NativeRule {
  return {
    may: allOf(oneOf(path(exact(resource(i))), path(prefix(`${resource(i)}/`))), oneOf(method("GET"), method("POST"))),
  };
}

/** A request with the headers that clients usually send, allowed by the rule that native RBAC, which walks the rules in the
 *  order of their names, comes to after half of them. */
function request(size: number): Uint8Array {
  const byName = Array.from({ length: size }, (_, i) => i).sort((a, b) => (`rule-${a}` < `rule-${b}` ? -1 : 1));
  const lines = [
    `GET ${resource(byName[size >> 1] ?? 0)}/items/42?page=7 HTTP/1.1`,
    "Host: shop.team-a.example",
    "User-Agent: bench/1.0",
    "Accept: application/json",
    "Accept-Language: en",
    "X-Request-Id: 2f1c0f9e-7a5b-4a0e-9a52-2f0a7c1d9b11",
    "X-Forwarded-Proto: https",
    "Cookie: session=0123456789abcdef",
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

interface Contender {
  readonly name: string;
  readonly size: number;
  readonly filters: readonly Json[];
}

interface Sample {
  readonly perSec: number;
  readonly cpuMicros: number;
  /** Share of one processor that Envoy used. */
  readonly busy: number;
}

export const filterBench: Bench = {
  name: "filter",
  run: async (progress) => {
    const enforcer = await Enforcer.create();
    try {
      return await measure(await contendersOf(enforcer), progress);
    } finally {
      await enforcer.close();
    }
  },
};

async function contendersOf(enforcer: Enforcer): Promise<readonly Contender[]> {
  const contenders: Contender[] = [{ name: "none", size: 3, filters: [] }];
  for (const size of SIZES) {
    const allowed = Array.from({ length: size }, (_, i) => nativeRule(i));
    const [wpgate, belt] = await enforcer.filters({ vmId: `bench-${size}`, policies: [policy(size)], knobs: KNOBS });
    if (wpgate === undefined || belt === undefined) throw new Error("the enforcer has two filters");
    contenders.push(
      { name: `native-${size}`, size, filters: nativeFilters({ allow: allowed }) },
      { name: `wpgate-${size}`, size, filters: [wpgate] },
      { name: `wpgate-belt-${size}`, size, filters: [wpgate, belt] },
    );
  }
  return contenders;
}

async function measure(contenders: readonly Contender[], progress: (text: string) => void): Promise<BenchResult> {
  progress("starting Envoy");
  const bootstrap = {
    node: { id: "bench", cluster: "bench", metadata: WORKLOAD },
    admin: { address: loopback() },
    static_resources: { listeners: contenders.map(listenerOf) },
  };
  const envoy = await startEnvoy({ binary: await findEnvoy({ environment: process.env }), bootstrap });
  try {
    await envoy.admin.ready();
    const loads = new Map<string, Load>();
    for (const { name, size } of contenders) {
      const port = await envoy.admin.listenerPort(name);
      const statusLine = "HTTP/1.1 200 ";
      loads.set(name, await Load.open({ port, request: request(size), statusLine, connections: CONNECTIONS }));
    }
    const samples = await interleave(loads, envoy, progress);
    for (const load of loads.values()) load.close();
    return resultOf(samples);
  } finally {
    await envoy.stop();
  }
}

async function interleave(
  loads: ReadonlyMap<string, Load>,
  envoy: EnvoyProcess,
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>([...loads.keys()].map((name) => [name, []]));
  // The first round warms up and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    progress(round === 0 ? "warming up" : `round ${round} of ${ROUNDS}`);
    for (const [name, load] of loads) {
      const sample = await measureOne(load, envoy);
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

async function measureOne(load: Load, envoy: EnvoyProcess): Promise<Sample> {
  const cpuBefore = await envoy.cpuSec();
  const start = performance.now();
  const answers = await load.run(ROUND_MS);
  const elapsedSec = (performance.now() - start) / 1000;
  const cpuSec = (await envoy.cpuSec()) - cpuBefore;
  return { perSec: (answers * 1000) / ROUND_MS, cpuMicros: (cpuSec / answers) * 1e6, busy: cpuSec / elapsedSec };
}

function resultOf(samples: ReadonlyMap<string, readonly Sample[]>): BenchResult {
  const of = (name: string, member: keyof Sample): number =>
    median((samples.get(name) ?? []).map((sample) => sample[member]));
  const names = [...samples.keys()];
  const ratios = SIZES.flatMap((size) => [
    [`rps_vs_native_rbac_${size}`, of(`wpgate-${size}`, "perSec") / of(`native-${size}`, "perSec")] as const,
    [`cpu_vs_native_rbac_${size}`, of(`wpgate-${size}`, "cpuMicros") / of(`native-${size}`, "cpuMicros")] as const,
    [
      `rps_with_belt_vs_native_rbac_${size}`,
      of(`wpgate-belt-${size}`, "perSec") / of(`native-${size}`, "perSec"),
    ] as const,
  ]);
  return {
    table: [
      ["filter-rules", "requests/s", "of no filter", "Envoy µs/request", "Envoy busy"],
      ...names.map((name) => [
        name,
        of(name, "perSec").toFixed(0),
        (of(name, "perSec") / of("none", "perSec")).toFixed(3),
        of(name, "cpuMicros").toFixed(1),
        of(name, "busy").toFixed(2),
      ]),
      ...ratios.map(([name, value]) => [name, value.toFixed(3), "", "", ""]),
    ],
    ratios: Object.fromEntries([
      ["rps_vs_native_rbac", rounded(of("wpgate-20", "perSec") / of("native-20", "perSec"))],
      ...ratios.map(([name, value]) => [name, rounded(value)] as const),
    ]),
    absolute: Object.fromEntries(
      names.flatMap((name) => [
        [`${name}_perSec`, rounded(of(name, "perSec"))] as const,
        [`${name}_envoyCpuMicros`, rounded(of(name, "cpuMicros"))] as const,
      ]),
    ),
  };
}

function loopback(): Json {
  return { socket_address: { address: "127.0.0.1", port_value: 0 } };
}

function listenerOf({ name, filters }: Contender): Json {
  const type = (of: string): { readonly "@type": string } => ({ "@type": `type.googleapis.com/envoy.${of}` });
  const manager = {
    ...type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "bench",
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
        },
      ],
    },
    http_filters: [...filters, { name: "router", typed_config: type("extensions.filters.http.router.v3.Router") }],
  };
  return {
    name,
    address: loopback(),
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}
