/** What the filter says about itself in an Envoy: its own metrics, through the admin interface. */
import { isRecord } from "../bytes/record.ts";
import { getJson } from "./get-json.ts";

/** Of one namespace, as gauges; all are 0 while nothing is in force. */
export interface InForce {
  readonly rootEpoch: number;
  readonly setVersion: number;
  readonly freshVersion: number;
  readonly expiresInSec: number;
}

export interface EnvoyStats {
  readonly node: EnvoyNode;
  /** Absent when this Envoy has no wpgate filter. */
  readonly namespace?: InForce;
  readonly rootNamespace?: InForce;
  /** `allowed`, `denied`, `would_deny`, `stale`, `unverified`, `verified`. */
  readonly counts: Readonly<Record<string, number>>;
  /** By code: what was taken and then not put in force. */
  readonly refused: Readonly<Record<string, number>>;
  /** By the name of the extension configuration: what Envoy itself has rejected, because the filter found it forged or
   *  malformed. The counters of a VM that was made for it alone are gone with it; the code is in Envoy's log. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface EnvoyNode {
  readonly id: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, unknown>>;
}

const REJECTED = /^extension_config_discovery\.http_filter\.(.+)\.update_rejected$/;
const STATS = `/stats?format=json&filter=${encodeURIComponent("wpgate_|^extension_config_discovery.*update_rejected$")}`;
const ASKED = { who: "Envoy", hint: "this must be its admin interface, port 15000 beside istio-proxy" };

/** @param address - of the admin interface. @throws UpstreamError */
export async function readEnvoyStats(address: string, signal: AbortSignal): Promise<EnvoyStats> {
  const info = await getJson(new URL("/server_info", address), { ...ASKED, signal });
  const stats = await getJson(new URL(STATS, address), { ...ASKED, signal });
  return { node: nodeOf(info), ...statsOf(stats) };
}

function nodeOf(info: unknown): EnvoyNode {
  const { id, metadata } = asRecord(asRecord(info)["node"]);
  const { NAMESPACE: namespace, LABELS: labels } = asRecord(metadata);
  return {
    id: typeof id === "string" ? id : "",
    namespace: typeof namespace === "string" ? namespace : "",
    labels: asRecord(labels),
  };
}

function statsOf(answer: unknown): Omit<EnvoyStats, "node"> {
  const rows = asRecord(answer)["stats"];
  const values = new Map<string, number>();
  const rejected = new Map<string, number>();
  for (const row of Array.isArray(rows) ? rows : []) {
    const { name, value } = asRecord(row);
    if (typeof name !== "string" || typeof value !== "number") continue;
    const own = /(?:^|\.)wpgate_(\w+)$/.exec(name)?.[1];
    if (own !== undefined) values.set(own, value);
    const configuration = REJECTED.exec(name)?.[1];
    if (configuration !== undefined && value > 0) rejected.set(configuration, value);
  }
  const matching = (pattern: RegExp): Readonly<Record<string, number>> =>
    Object.fromEntries(
      [...values].flatMap(([name, value]) => {
        const short = pattern.exec(name)?.[1];
        return short === undefined ? [] : [[short, value] as const];
      }),
    );
  const [namespace, rootNamespace] = [inForce(values, "namespace"), inForce(values, "root_namespace")];
  return {
    ...(namespace && { namespace }),
    ...(rootNamespace && { rootNamespace }),
    counts: matching(/^([a-z_]+)_total$/),
    refused: matching(/^refused_([A-Z_]+)_total$/),
    rejected: Object.fromEntries(rejected),
  };
}

function inForce(values: ReadonlyMap<string, number>, role: string): InForce | undefined {
  const setVersion = values.get(`${role}_set_version`);
  if (setVersion === undefined) return undefined;
  const value = (name: string): number => values.get(`${role}_${name}`) ?? 0;
  return {
    ...{ rootEpoch: value("root_epoch"), setVersion, freshVersion: value("fresh_version") },
    expiresInSec: value("expires_in_seconds"),
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
