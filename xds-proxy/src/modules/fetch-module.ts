/** One module from wherever it is, checked against what is expected of it; failures that may pass are tried again. */
import { hash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LimitError, UpstreamError, VerifyError, WpgateError } from "../errors.ts";
import { httpGet, refuseStatus } from "./http-get.ts";
import { fetchImage, type ImageLimits } from "./image.ts";
import { parseAddress, type ModuleRequest } from "./module-request.ts";
import { isWasm, unbox } from "./unpack.ts";

export interface FetchLimits extends ImageLimits {
  /** Of one request to a server. */
  readonly requestTimeoutMs: number;
  readonly attemptsMaxCount: number;
  /** Before the second attempt, at most; twice as long before each further one. */
  readonly backoffMs: number;
}

export interface FetchedModule {
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly sha256: string;
}

interface FetchModule {
  readonly request: ModuleRequest;
  readonly limits: FetchLimits;
  readonly signal: AbortSignal;
}

/** @throws UpstreamError, LimitError, VerifyError DIGEST; the signal's reason when it fires */
export async function fetchModule({ request, limits, signal }: FetchModule): Promise<FetchedModule> {
  const address = parseAddress(request.url);
  for (let attempt = 1; ; attempt++) {
    try {
      return check(await contentOf(address, { request, limits, signal }), request);
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= limits.attemptsMaxCount || !mayPass(error)) throw error;
    }
    const longestMs = limits.backoffMs * 2 ** (attempt - 1);
    await sleep(longestMs * (0.5 + Math.random() / 2), undefined, { signal });
  }
}

async function contentOf(address: URL, { request, limits, signal }: FetchModule): Promise<Uint8Array> {
  const { moduleMaxBytes: maxBytes, requestTimeoutMs: timeoutMs } = limits;
  if (address.protocol === "oci:") return await fetchImage({ request, limits, timeoutMs, signal });
  if (address.protocol === "file:") return await unbox(await contentOfFile(address, maxBytes), maxBytes);
  const { status, body } = await httpGet({ url: address, maxBytes, timeoutMs, signal });
  if (status !== 200) refuseStatus(address, status);
  return await unbox(body, maxBytes);
}

async function contentOfFile(address: URL, maxBytes: number): Promise<Uint8Array> {
  try {
    const path = fileURLToPath(address);
    if (!(await stat(path)).isFile()) throw new UpstreamError("PROTOCOL", "not a file");
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw new LimitError(`longer than ${maxBytes} bytes`);
      // No more than its size: some files of the system have no end, or make one wait for it.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof WpgateError) throw cause;
    throw new UpstreamError("NOT_FOUND", `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? "not a path"}`, {
      cause,
    });
  }
}

function check(bytes: Uint8Array, { expected }: ModuleRequest): FetchedModule {
  const sha256 = hash("sha256", bytes, "hex");
  if (expected.module !== undefined && expected.module !== sha256)
    throw new VerifyError("DIGEST", `the module has the digest ${sha256}, not ${expected.module}`);
  if (!isWasm(bytes)) throw new UpstreamError("PROTOCOL", "what is there is not a Wasm module");
  return { bytes, sha256 };
}

function mayPass(error: unknown): boolean {
  return error instanceof UpstreamError && (error.code === "UNAVAILABLE" || error.code === "TIMEOUT");
}
