/** In front of a registry: gives alice a token, and lets nobody pass without it. */
import { createServer, request as requestTo, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class LoginGate {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(registryHost: string): Promise<LoginGate> {
    const alice = `Basic ${ALICE}`;
    const server = createServer((request, response) => {
      const { authorization } = request.headers;
      const realm = `http://${request.headers.host ?? ""}/token`;
      if (request.url?.startsWith("/token?") === true)
        response.writeHead(authorization === alice ? 200 : 401).end(JSON.stringify({ token: "of-alice" }));
      else if (authorization !== "Bearer of-alice")
        response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="gate"` }).end();
      else
        requestTo(
          `http://${registryHost}${request.url ?? ""}`,
          { headers: { accept: request.headers.accept } },
          (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
          },
        ).end();
    });
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new LoginGate(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A Docker configuration with a login of this kind, in JSON. */
  pullSecret(auth: string = ALICE): string {
    return JSON.stringify({ auths: { [this.host]: { auth } } });
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

/** User and password that the gate knows. */
export const ALICE: string = Buffer.from("alice:pass").toString("base64");
