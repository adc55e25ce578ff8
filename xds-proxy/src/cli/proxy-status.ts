/** What a wpgate proxy says about itself, through its admin server. */
import { isRecord } from "../bytes/record.ts";
import { UpstreamError } from "../errors.ts";
import type { StreamsAnswer } from "../proxy/view.ts";
import { getJson } from "./get-json.ts";

export interface ProxyStatus {
  readonly address: string;
  /** Or why it can not be asked. */
  readonly answer?: StreamsAnswer;
  readonly fault?: string;
}

const ASKED = { who: "the proxy", hint: "this must be the admin server of wpgate proxy, port 15081 by default" };

/** Rejects with the reason of the signal. */
export async function readProxyStatus(address: string, signal: AbortSignal): Promise<ProxyStatus> {
  try {
    const answer = await getJson(new URL("/debug/streams", address), { ...ASKED, signal });
    if (isStreamsAnswer(answer)) return { address, answer };
    return { address, fault: `the proxy at ${address} answers with something else than its streams` };
  } catch (error) {
    if (!(error instanceof UpstreamError) || signal.aborted) throw error;
    return { address, fault: error.message };
  }
}

/** Whether nothing has run out, every stream has its upstream, and nothing of what that says now is refused. */
export function isWell({ readiness, namespaces, streams, nowMs }: StreamsAnswer): boolean {
  return (
    readiness.ready &&
    namespaces.every(({ expSec }) => expSec !== undefined && expSec * 1000 > nowMs) &&
    streams.every(
      ({ upstream, types }) =>
        upstream.state === "connected" && types.every(({ refusedCount }) => refusedCount === undefined),
    )
  );
}

/** What tells it from a stranger's answer; the rest is ours. */
function isStreamsAnswer(value: unknown): value is StreamsAnswer {
  if (!isRecord(value) || !isRecord(value["readiness"])) return false;
  const { mode, nowMs, namespaces, streams } = value;
  if (typeof mode !== "string" || typeof nowMs !== "number") return false;
  if (!Array.isArray(namespaces) || !namespaces.every(isRecord) || !Array.isArray(streams)) return false;
  return streams.every((stream) => isRecord(stream) && isRecord(stream["upstream"]) && Array.isArray(stream["types"]));
}
