/** What istiod itself says of how its configuration was taken (`/debug/syncz`, which `istioctl proxy-status` shows). */
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import type { Lab } from "./lab.ts";

interface SyncRow {
  readonly proxy: string;
  readonly resources?: Readonly<
    Record<string, { readonly sent?: string; readonly acked?: string; readonly lastError?: string }>
  >;
}

async function rowOf(lab: Lab, proxy: string): Promise<SyncRow | undefined> {
  const rows = await lab.istiod.debug("/debug/syncz");
  return (Array.isArray(rows) ? rows : [])
    .filter(isRecord)
    .map((row) => row as unknown as SyncRow)
    .find((row) => row.proxy === proxy);
}

/** Whether everything that istiod sent last to `name.namespace` was accepted. */
export async function isSynced(lab: Lab, proxy: string): Promise<boolean> {
  const states = Object.values((await rowOf(lab, proxy))?.resources ?? {});
  return states.length > 0 && states.every(({ sent, acked, lastError }) => sent === acked && lastError === undefined);
}

/** The texts of the last NACKs. */
export async function lastErrors(lab: Lab, proxy: string): Promise<readonly string[]> {
  return Object.values((await rowOf(lab, proxy))?.resources ?? {}).flatMap(({ lastError }) => lastError ?? []);
}
