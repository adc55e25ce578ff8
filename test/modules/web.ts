/** An HTTP server whose answers a test decides, path by path, and modules to serve. */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { mkdtempSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../scenarios/certificates.ts";

export type Answer = (response: ServerResponse, request: IncomingMessage) => unknown;

export class Web {
  readonly origin: string;
  /** Method, path and `authorization` of each request. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[] = [];
  readonly #server: Server;
  readonly #answers: Map<string, Answer>;

  private constructor(server: Server, answers: Map<string, Answer>, requests: Web["requests"], scheme: string) {
    this.#server = server;
    this.#answers = answers;
    this.requests = requests;
    this.origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: { tls?: boolean } = {}): Promise<Web> {
    const answers = new Map<string, Answer>();
    const requests: Web["requests"] = [];
    const listener: RequestListener = (request, response) => {
      const path = request.url ?? "";
      requests.push({ path, authorization: request.headers.authorization });
      const answer = answers.get(path) ?? answers.get(path.split("?")[0] ?? "") ?? status(404);
      answer(response, request);
    };
    const server = options.tls === true ? createTlsServer(await certificate(), listener) : createServer(listener);
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Web(server, answers, requests, options.tls === true ? "https" : "http");
  }

  /** Host and port. */
  get host(): string {
    return new URL(this.origin).host;
  }

  get paths(): readonly string[] {
    return this.requests.map(({ path }) => path);
  }

  /** @returns the address */
  on(path: string, answer: Answer | Uint8Array | string): string {
    this.#answers.set(path, typeof answer === "function" ? answer : (response) => response.end(answer));
    return `${this.origin}${path}`;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

async function certificate(): Promise<{ key: string; cert: string }> {
  const { key, certificate: cert } = await (await Authority.create()).issue({ ip: "127.0.0.1" });
  return { key, cert };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => response.writeHead(code, headers).end();
}

/** One answer after the other; the last one stays. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let count = 0;
  return (response, request) => answers[Math.min(count++, answers.length - 1)]?.(response, request);
}

/** A module with a section of this many bytes that nobody can compress. */
export function newModule(bytes = 1_000): Buffer {
  return Buffer.concat([Buffer.from("\0asm\x01\0\0\0", "latin1"), randomBytes(bytes)]);
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "wpgate-modules-"));
}

/** What an action throws or rejects with. */
export async function failureOf(action: () => unknown): Promise<Error> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
