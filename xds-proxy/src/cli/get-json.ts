/** JSON from an admin interface, with a deadline and a bound. */
import { UpstreamError } from "../errors.ts";

const TIMEOUT_MS = 10_000;
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;

export interface Asked {
  /** Who is asked, for messages: `Envoy`. */
  readonly who: string;
  /** What to do when it is somebody else. */
  readonly hint: string;
  readonly signal: AbortSignal;
}

/** Rejects with UpstreamError, or with the reason of the signal. */
export async function getJson(url: URL, { who, hint, signal }: Asked): Promise<unknown> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const failed = (code: "UNAVAILABLE" | "TIMEOUT" | "PROTOCOL", what: string, cause?: unknown): UpstreamError =>
    new UpstreamError(code, `${who} at ${url.origin} ${what}`, { ...(cause !== undefined && { cause }), hint });
  let text: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, deadline]), redirect: "error" });
    if (!response.ok) throw failed("PROTOCOL", `answers ${url.pathname} with ${response.status}`);
    if (Number(response.headers.get("content-length") ?? 0) > ANSWER_MAX_BYTES)
      throw failed("PROTOCOL", `answers ${url.pathname} with more than is reasonable`);
    text = await response.text();
  } catch (cause) {
    if (signal.aborted || cause instanceof UpstreamError) throw cause;
    throw deadline.aborted
      ? failed("TIMEOUT", "did not answer in time", cause)
      : failed("UNAVAILABLE", "can not be reached", cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failed("PROTOCOL", `answers ${url.pathname} with something else than JSON`, cause);
  }
}
