/** Waits until a process does its work, or says how it ended instead. */
import type { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";

const READY_TIMEOUT_MS = 60_000;

/** @param isReady - what it throws means: not yet */
export async function ready(what: string, process: GuardedProcess, isReady: () => Promise<boolean>): Promise<void> {
  let end: string | undefined;
  void process.ended.then((how) => (end = how));
  await until({
    what: `${what} being ready`,
    timeoutMs: READY_TIMEOUT_MS,
    intervalMs: 50,
    context: () => process.log.tail(5),
    probe: async () => {
      if (end !== undefined) throw new UpstreamError("UNAVAILABLE", `${what}: ${end}\n${process.log.tail(5)}`);
      return (await isReady().catch(() => false)) ? true : undefined;
    },
  });
}
