/** GET over HTTP with a bound on everything: time, bytes, redirects. What it says of failures names no secrets. */
import { LimitError, UpstreamError, WpgateError } from "../errors.ts";
import { shownUrl } from "./module-request.ts";

export interface HttpGet {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  /** For all of it, redirects included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty unless the status is 200. */
  readonly body: Uint8Array;
}

const REDIRECTS_MAX_COUNT = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** @throws UpstreamError UNAVAILABLE, TIMEOUT, PROTOCOL; LimitError; the signal's reason when it fires */
export async function httpGet(options: HttpGet): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([deadline, options.signal]);
  try {
    return await follow({ ...options, signal });
  } catch (cause) {
    options.signal.throwIfAborted();
    const shown = shownUrl(options.url);
    if (cause instanceof WpgateError) throw cause;
    if (deadline.aborted)
      throw new UpstreamError("TIMEOUT", `${shown}: no answer within ${options.timeoutMs} ms`, { cause });
    throw new UpstreamError("UNAVAILABLE", `${shown}: ${reasonOf(cause)}`, { cause });
  }
}

async function follow(options: Omit<HttpGet, "timeoutMs">): Promise<HttpAnswer> {
  let { url, headers = {} } = options;
  for (let count = 0; count <= REDIRECTS_MAX_COUNT; count++) {
    const response = await fetch(url, {
      redirect: "manual",
      signal: options.signal,
      headers: { ...headers, "accept-encoding": "identity" },
    });
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) return await read(response, { ...options, url });
    await response.body?.cancel();
    const next = nextUrl(url, location);
    // Where an answer sends us is no place that credentials were meant for.
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    url = next;
  }
  throw new UpstreamError("PROTOCOL", `${shownUrl(options.url)}: more than ${REDIRECTS_MAX_COUNT} redirects`);
}

function nextUrl(url: URL, location: string): URL {
  const refuse = (why: string): never => {
    throw new UpstreamError("PROTOCOL", `${shownUrl(url)}: redirects to ${why}`);
  };
  if (!URL.canParse(location, url.href)) return refuse("what is no address");
  const next = new URL(location, url);
  if (next.protocol !== "https:" && next.protocol !== "http:") return refuse(next.protocol);
  if (next.username !== "" || next.password !== "") return refuse("an address with credentials");
  return url.protocol === "https:" && next.protocol === "http:" ? refuse("one without TLS") : next;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
}

async function read(response: Response, { url, maxBytes }: Pick<HttpGet, "url" | "maxBytes">): Promise<HttpAnswer> {
  const { status, headers } = response;
  if (status !== 200) {
    await response.body?.cancel();
    return { status, headers, body: new Uint8Array() };
  }
  const tooLong = new LimitError(`${shownUrl(url)}: longer than ${maxBytes} bytes`);
  if (Number(headers.get("content-length") ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLong;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length > maxBytes) throw tooLong;
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

/** As an error of its own. @throws UpstreamError */
export function refuseStatus(url: URL, status: number): never {
  const message = `${shownUrl(url)}: answers with status ${status}`;
  if (status === 404 || status === 410) throw new UpstreamError("NOT_FOUND", message);
  if (status === 401 || status === 403) throw new UpstreamError("FORBIDDEN", message);
  if (status === 408 || status === 429 || status >= 500) throw new UpstreamError("UNAVAILABLE", message);
  throw new UpstreamError("PROTOCOL", message);
}

/** `fetch` says "fetch failed", and why in the cause. */
function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return "cannot be reached";
  return inner.message === "" ? String((inner as NodeJS.ErrnoException).code) : inner.message;
}
