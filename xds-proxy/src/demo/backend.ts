/** The application behind Envoy: answers every request with what reached it. */
import { createServer } from "node:http";
import type { Server } from "node:http";

export interface Backend {
  readonly port: number;
  /** How many requests reached it. */
  readonly count: () => number;
  readonly stop: () => Promise<void>;
}

/** Listens on a loopback port; a response is 200 with `METHOD PATH` and the request's headers as JSON. */
export async function startBackend(): Promise<Backend> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ request: `${request.method} ${request.url}`, headers: request.headers }));
  });
  // Idle connections stay: Node would close them after 5 s, at times while Envoy sends a request on one, which is then a 503.
  server.keepAliveTimeout = 0;
  const port = await listen(server);
  return {
    port,
    count: () => count,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
