/** How often the filter has refused something, by code, as Envoy counts it. */
import { CODES, type Code } from "../gen/codes.ts";
import type { EnvoyAdmin } from "./envoy-admin.ts";

const REFUSED_METRIC = /^wasmcustom\.wpgate_refused_([A-Z_]+)_total$/;

export type Refusals = ReadonlyMap<Code, number>;

export async function refusals(admin: EnvoyAdmin): Promise<Refusals> {
  const counters = await admin.stats("wpgate_refused_");
  const counts = new Map([...counters].map(([name, count]) => [REFUSED_METRIC.exec(name)?.[1], count]));
  return new Map(CODES.flatMap((code) => (counts.has(code) ? [[code, counts.get(code) ?? 0]] : [])));
}

export function newCodes(before: Refusals, after: Refusals): readonly Code[] {
  return [...after].filter(([code, count]) => count > (before.get(code) ?? 0)).map(([code]) => code);
}
