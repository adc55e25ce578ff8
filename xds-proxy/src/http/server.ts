/** Small answers over HTTP for machines and people who look after a program: one function from requests to answers. GET only. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigError } from "../errors.ts";

export interface HttpRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Address of the client. */
  readonly peer: string;
  /** Without the port; `""` when there is none. */
  readonly host: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpServerOptions {
  /** All addresses, when absent. */
  readonly host?: string;
  /** 0 for one that is free. */
  readonly port: number;
  /** Which setting is at fault when it cannot listen there, such as `--listen`. */
  readonly setting: string;
  /** Undefined for a path that is not served. */
  readonly answer: (request: HttpRequest) => Promise<HttpAnswer> | HttpAnswer | undefined;
}

export interface HttpServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** More than those who look after it need, fewer than would hurt it. */
const CONNECTIONS_MAX_COUNT = 64;
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
};

/** @throws ConfigError when it cannot listen there */
export async function serveHttp({ host, port, setting, answer }: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    void respond(request, response, answer);
  });
  server.maxConnections = CONNECTIONS_MAX_COUNT;
  await new Promise<void>((resolve, reject) => {
    server.on("error", (cause) => {
      reject(new ConfigError([{ path: setting, message: `cannot listen on ${host ?? ""}:${port}` }], { cause }));
    });
    server.listen({ port, host }, resolve);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${bound}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export function textAnswer(status: number, text: string): HttpAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}

export function jsonAnswer(value: unknown): HttpAnswer {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value, null, 2)}\n` };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpServerOptions["answer"],
): Promise<void> {
  const { status, contentType, body } = await answerTo(request, answer);
  response.writeHead(status, { ...HEADERS, "content-type": contentType });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answerTo(request: IncomingMessage, answer: HttpServerOptions["answer"]): Promise<HttpAnswer> {
  const { method, url = "", headers, socket } = request;
  if (method !== "GET" && method !== "HEAD") return textAnswer(405, "only GET");
  const [path = "", query = ""] = url.split("?", 2);
  const host = (headers.host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  try {
    const asked = { path, query: new URLSearchParams(query), peer: socket.remoteAddress ?? "", host };
    return (await answer(asked)) ?? textAnswer(404, "not found");
  } catch {
    return textAnswer(500, "it could not be found out");
  }
}
