/** What one Envoy makes of a change to a WasmPlugin: whether it takes it, and with which codes the filter refuses it. */
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import type { EnvoyAdmin } from "../../xds-proxy/src/demo/envoy-admin.ts";
import { newCodes, refusals } from "../../xds-proxy/src/demo/refusals.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { Code } from "../../xds-proxy/src/gen/codes.ts";
import type { Workload } from "./workload.ts";

const DEADLINE_MS = 30_000;
/** istiod puts it into the environment of the VM. */
const RESOURCE_VERSION = "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION";

export interface Delivered {
  readonly answer: "ACK" | "NACK";
  /** Codes with which the filter has refused something since. */
  readonly codes: readonly Code[];
}

export interface Watched {
  readonly workload: Workload;
  /** Of the WasmPlugin, `namespace/name`. */
  readonly plugin: string;
}

/** Begins to watch; what is returned waits for Envoy's answer to the WasmPlugin of a `resourceVersion`. */
export async function watchDelivery(watched: Watched): Promise<(resourceVersion: string) => Promise<Delivered>> {
  const { workload, plugin } = watched;
  const { admin } = workload.envoy;
  const before = { rejected: await rejections(admin), refused: await refusals(admin) };
  return async (resourceVersion) => {
    await received(watched, resourceVersion);
    const answer = (await rejections(admin)) > before.rejected ? "NACK" : "ACK";
    // A canary alone has looked at what is rejected; what is taken is looked at by the main thread and each worker, too.
    const lookers = answer === "NACK" ? 1 : (await admin.stat("server.concurrency")) + 2;
    let codes: readonly Code[] = [];
    await until({
      what: `every thread's verdict on ${plugin}`,
      timeoutMs: DEADLINE_MS,
      context: () => `refused so far: ${codes.join()}; Envoy's log ends with:\n${workload.envoy.log.tail(5)}`,
      probe: async () => {
        const now = await refusals(admin);
        codes = newCodes(before.refused, now);
        const all = codes.every((code) => (now.get(code) ?? 0) - (before.refused.get(code) ?? 0) >= lookers);
        return all ? true : undefined;
      },
    });
    return { answer, codes };
  };
}

/** What Envoy got by ECDS last, also when it has rejected it: the Wasm plugins by name. */
export async function wasmConfigs(admin: EnvoyAdmin): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const dump = await admin.configDump("ecds_filters");
  const rows = isRecord(dump) && Array.isArray(dump["configs"]) ? (dump["configs"] as readonly unknown[]) : [];
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
