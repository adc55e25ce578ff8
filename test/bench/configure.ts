/**
 * What an update costs: one signed set of 20 policies, from the push to Envoy's ACK, and Envoy's processor time for it. Envoy
 * with one worker verifies it in three VMs. The same module once with the host's `verify_signature`, once with that import
 * denied by Envoy, so that it verifies by itself.
 */
import { readFile } from "node:fs/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { Gate, SHIPPED_MODULE, allow } from "../e2e/gate.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { median, rounded } from "./bench.ts";
import type { Bench, BenchResult } from "./bench.ts";

const POLICY_COUNT = 20;
const UPDATE_COUNT = 40;
const HOST_SIGNATURES = "proxy_call_foreign_function";

interface Contender {
  readonly name: "host" | "pure";
  readonly gate: Gate;
  readonly edit: (resource: JsonObject) => JsonObject;
  readonly ackMs: number[];
  readonly cpuMs: number[];
}

export const configureBench: Bench = {
  name: "configure",
  run: async (progress) => {
    const owner = await Owner.create({ ns: "team-a" });
    progress("starting two Envoys");
    const pin = pinOf([owner]);
    const gates = await Promise.all([Gate.start({ pin }), Gate.start({ pin })]);
    const denied = await withoutHostSignatures();
    const contenders: readonly Contender[] = [
      { name: "host", gate: gates[0], edit: (same) => same, ackMs: [], cpuMs: [] },
      { name: "pure", gate: gates[1], edit: denied, ackMs: [], cpuMs: [] },
    ];
    try {
      await interleave(contenders, owner, progress);
      return resultOf(contenders);
    } finally {
      await Promise.all(gates.map(async (gate) => gate.stop()));
    }
  },
};

async function interleave(
  contenders: readonly Contender[],
  owner: Owner,
  progress: (text: string) => void,
): Promise<void> {
  // The first update, which also starts the VMs, is not counted.
  for (let update = 0; update <= UPDATE_COUNT; update++) {
    progress(`update ${update} of ${UPDATE_COUNT}`);
    const ver = String(update + 1);
    const policies = Array.from({ length: POLICY_COUNT }, (_, i) => allow(`/${update}/${String(i).padStart(2, "0")}`));
    const configuration = encodeBundle([await owner.bundle({ policies, ver })]);
    for (const { gate, edit, ackMs, cpuMs } of contenders) {
      const { envoy } = gate.sidecar;
      const cpuBefore = await envoy.cpuSec();
      const start = performance.now();
      const { error } = await gate.deliver(configuration, { edit });
      const elapsedMs = performance.now() - start;
      if (error !== undefined) throw new Error(`Envoy refuses the update: ${error}`);
      await untilVerified(gate, update + 1);
      if (update === 0) continue;
      ackMs.push(elapsedMs);
      cpuMs.push(((await envoy.cpuSec()) - cpuBefore) * 1000);
    }
  }
}

/** Main thread, worker and the canary of every update count what they have put in force. */
async function untilVerified(gate: Gate, updates: number): Promise<void> {
  while ((await gate.metric("verified_total")) < updates * 2) continue;
}

/** Lets Envoy deny the import. What a module exports must be on the list too, or it is never called. */
async function withoutHostSignatures(): Promise<Contender["edit"]> {
  const module = new WebAssembly.Module(await readFile(SHIPPED_MODULE));
  const names = [...WebAssembly.Module.imports(module), ...WebAssembly.Module.exports(module)].map(({ name }) => name);
  const allowed = Object.fromEntries(names.filter((name) => name !== HOST_SIGNATURES).map((name) => [name, {}]));
  return (resource) => {
    const typed = resource.typed_config as JsonObject;
    const config = {
      ...(typed.config as JsonObject),
      capability_restriction_config: { allowed_capabilities: allowed },
    };
    return { ...resource, typed_config: { ...typed, config } };
  };
}

/** The kernel counts processor time in steps of 10 ms: too coarse for a median. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function resultOf(contenders: readonly Contender[]): BenchResult {
  const [host, pure] = contenders.map(({ ackMs, cpuMs }) => ({ ackMs: median(ackMs), cpuMs: mean(cpuMs) }));
  if (!host || !pure) throw new Error("there are two contenders");
  const rows = { "host signatures": host, "own signatures": pure };
  return {
    table: [
      [`${POLICY_COUNT} policies`, "push to ACK, ms", "Envoy CPU, ms"],
      ...Object.entries(rows).map(([name, { ackMs, cpuMs }]) => [name, ackMs.toFixed(1), cpuMs.toFixed(1)]),
    ],
    ratios: { pure_ack_vs_host: rounded(pure.ackMs / host.ackMs) },
    absolute: {
      host_ackMs: rounded(host.ackMs),
      host_cpuMs: rounded(host.cpuMs),
      pure_ackMs: rounded(pure.ackMs),
      pure_cpuMs: rounded(pure.cpuMs),
    },
  };
}
