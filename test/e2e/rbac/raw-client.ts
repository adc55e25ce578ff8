/** Sends the requests of the table byte for byte: PROXY protocol, TLS where wanted, HTTP/1.1 as written. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Authority, CertificateNames, KeyAndCertificate } from "../../scenarios/certificates.ts";
import { readAnswer, type Answer } from "../../scenarios/http-answer.ts";
import type { Row } from "./group.ts";
import type { TokenIssuer } from "./json-web-token.ts";

export const DEFAULT_FROM = "10.0.0.9:1234";
export const DEFAULT_TO = "10.9.9.9:80";
export const DEFAULT_HOST = "app.example";
const TIMEOUT_MS = 10_000;

export class RawClient {
  readonly #authority: Authority;
  readonly #issuer: TokenIssuer;
  readonly #certificates = new Map<string, Promise<KeyAndCertificate>>();

  constructor(options: { readonly authority: Authority; readonly issuer: TokenIssuer }) {
    this.#authority = options.authority;
    this.#issuer = options.issuer;
  }

  async send(port: number, row: Row): Promise<Answer> {
    const plain = connect({ host: "127.0.0.1", port });
    plain.setTimeout(TIMEOUT_MS, () => plain.destroy(new Error(`no answer to ${row.line}`)));
    plain.write(proxyLine(row.from ?? DEFAULT_FROM, row.to ?? DEFAULT_TO));
    const socket = row.client === undefined ? plain : await this.#secure(plain, row.client, row.sni);
    socket.write(Buffer.from(this.#head(row), "latin1"));
    try {
      return await readAnswer(socket);
    } finally {
      plain.destroy();
    }
  }

  #head({ line, host = DEFAULT_HOST, headers = [], jwt }: Row): string {
    const fields: readonly (readonly [string, string])[] = [
      ...(host === null ? [] : [["Host", host] as const]),
      ...headers,
      ...(jwt === undefined ? [] : [["Authorization", `Bearer ${this.#issuer.issue(jwt)}`] as const]),
      ["Connection", "close"],
    ];
    return [`${line} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  }

  async #secure(socket: Socket, client: CertificateNames | "none", sni: string | undefined): Promise<Socket> {
    const own = client === "none" ? undefined : await this.#certificate(client);
    return connectTls({
      socket,
      rejectUnauthorized: false,
      ...(sni === undefined ? {} : { servername: sni }),
      ...(own && { key: own.key, cert: own.certificate }),
    });
  }

  async #certificate(names: CertificateNames): Promise<KeyAndCertificate> {
    const key = JSON.stringify(names);
    const known = this.#certificates.get(key) ?? this.#authority.issue(names);
    this.#certificates.set(key, known);
    return await known;
  }
}

function proxyLine(from: string, to: string): string {
  const source = splitAddress(from);
  const destination = splitAddress(to);
  const family = source.ip.includes(":") ? "TCP6" : "TCP4";
  return `PROXY ${family} ${source.ip} ${destination.ip} ${source.port} ${destination.port}\r\n`;
}

function splitAddress(address: string): { readonly ip: string; readonly port: string } {
  const [, ip = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  return { ip, port };
}
