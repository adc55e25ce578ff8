/** One HTTP/1.1 request whose path and headers reach the peer exactly as given (no normalising, repeats kept in order). */
import { request } from "node:http";
import type { IncomingMessage, Agent } from "node:http";
import { UpstreamError } from "../errors.ts";

export interface HttpRequest {
  readonly port: number;
  /** 127.0.0.1 when absent. */
  readonly host?: string;
  readonly method?: string;
  /** Sent as it is; `/` when absent. */
  readonly path?: string;
  /** In this order; a `host` header is added when there is none. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Keeps connections between requests; without it, each has its own (and any worker may answer). */
  readonly agent?: Agent;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** @throws UpstreamError `UNAVAILABLE` when there is no HTTP answer, `TIMEOUT` when it is late */
export async function send(options: HttpRequest): Promise<HttpResponse> {
  const { port, host = "127.0.0.1", method = "GET", path = "/", timeoutMs = 10_000 } = options;
  const headers = (options.headers ?? []).flat();
  if (!headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === "host")) headers.push("host", `${host}:${port}`);
  return await new Promise<HttpResponse>((resolve, reject) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
    const fail = (cause: unknown): void => {
      if (options.signal?.aborted === true) reject(options.signal.reason as Error);
      else if (deadline.aborted) reject(new UpstreamError("TIMEOUT", `${method} ${path}: no answer`, { cause }));
      else reject(new UpstreamError("UNAVAILABLE", `${method} ${path}: no answer`, { cause }));
    };
    const outgoing = request(
      { host, port, method, path, headers, signal, agent: options.agent ?? false },
      (incoming) => {
        let body = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        incoming.on("error", fail);
        incoming.on("end", () => {
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
        });
      },
    );
    outgoing.on("error", fail);
    outgoing.end(options.body);
  });
}
