/** What one Envoy makes of a change to a WasmPlugin: whether it takes it, and with which codes the filter refuses it. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import type { EnvoyAdmin } from "../../xds-proxy/src/demo/envoy-admin.ts";
import type { Outcome } from "../../xds-proxy/src/demo/stage.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { CODES, type Code } from "../../xds-proxy/src/gen/codes.ts";
import type { Workload } from "./workload.ts";

const DEADLINE_MS = 30_000;
const REFUSAL_MS = 10_000;
/** istiod puts it into the environment of the VM. */
const RESOURCE_VERSION = "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION";

export interface Expected {
  readonly resourceVersion: string;
  /** Whether the filter will refuse something; it may take a moment to say so. */
  readonly refused: boolean;
}

export interface Watched {
  readonly workload: Workload;
  /** Of the WasmPlugin, `namespace/name`. */
  readonly plugin: string;
}

/**
 * Begins to watch; what is returned waits for Envoy's answer to the WasmPlugin of a `resourceVersion`.
 *
 * The codes come from Envoy's log: each edit of a WasmPlugin is a new VM, and the counters of one that Envoy rejects end
 * with it.
 */
export async function watchDelivery(watched: Watched): Promise<(expected: Expected) => Promise<Outcome>> {
  const { admin, log } = watched.workload.envoy;
  const mark = log.count;
  const before = await rejections(admin);
  return async ({ resourceVersion, refused }) => {
    await received(watched, resourceVersion);
    const answer = (await rejections(admin)) > before ? "NACK" : "ACK";
    // A canary alone has looked at what is rejected; what is taken is looked at by the main thread and each worker, too.
    const lookers = answer === "NACK" ? 1 : (await admin.stat("server.concurrency")) + 2;
    let codes = codesIn(log.since(mark));
    const isComplete = (): boolean =>
      (codes.length > 0 || !(refused || answer === "NACK")) &&
      codes.every((code) => codes.filter((other) => other === code).length >= lookers);
    const deadlineMs = performance.now() + REFUSAL_MS;
    while (!isComplete() && performance.now() < deadlineMs) {
      await sleep(10);
      codes = codesIn(log.since(mark));
    }
    return { answer, codes: [...new Set(codes)] };
  };
}

const REFUSED = /wpgate: refused ([A-Z_]+):/;

function codesIn(lines: readonly string[]): readonly Code[] {
  const found = lines.map((line) => REFUSED.exec(line)?.[1]);
  return found.flatMap((name) => CODES.filter((code) => code === name));
}

/** What Envoy got by ECDS last, also when it has rejected it: the Wasm plugins by name. */
export async function wasmConfigs(admin: EnvoyAdmin): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const parts = listOf(member(await admin.configDump(), "configs"));
  const rows = parts.flatMap((part) => listOf(member(part, "ecds_filters")));
  const filters = rows.map((row) => member(row, "ecds_filter"));
  return new Map(
    filters.flatMap((filter) => {
      const config = member(filter, "typed_config", "config");
      return isRecord(config) ? [[String(member(filter, "name")), config] as const] : [];
    }),
  );
}

/** How istiod names what it makes of a WasmPlugin. */
export function ecdsName(plugin: string): string {
  return `extensions.istio.io/trafficextension/${plugin.replace("/", ".")}~istio-translated-wasmplugin`;
}

/** A member of members; undefined where there is none. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) at = isRecord(at) ? at[name] : undefined;
  return at;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

async function received({ workload, plugin }: Watched, resourceVersion: string): Promise<void> {
  let seen: unknown;
  await until({
    what: `Envoy having got ${plugin} of resourceVersion ${resourceVersion}`,
    timeoutMs: DEADLINE_MS,
    intervalMs: 20,
    context: () => `it has ${String(seen)}; Envoy's log ends with:\n${workload.envoy.log.tail(5)}`,
    probe: async () => {
      const config = (await wasmConfigs(workload.envoy.admin)).get(ecdsName(plugin));
      seen = member(config, "vm_config", "environment_variables", "key_values", RESOURCE_VERSION);
      return seen === resourceVersion ? true : undefined;
    },
  });
}

async function rejections(admin: EnvoyAdmin): Promise<number> {
  const counters = await admin.stats(String.raw`^extension_config_discovery\.http_filter\..*\.update_rejected$`);
  return [...counters.values()].reduce((sum, count) => sum + count, 0);
}
