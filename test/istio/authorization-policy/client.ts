/** Sends probes byte for byte, a connection for each, in plain text or with mTLS as a sidecar would. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Authority, CertificateNames, KeyAndCertificate } from "../../scenarios/certificates.ts";
import type { TokenIssuer } from "../../e2e/rbac/json-web-token.ts";
import { readAnswer, type Answer } from "../../scenarios/http-answer.ts";
import type { Probe } from "./probe.ts";

/** By this Envoy tells mTLS of the mesh from other TLS when it takes plain text as well. */
const ALPN = "istio-http/1.1";
const TIMEOUT_MS = 20_000;

export class Client {
  readonly #authority: Authority;
  readonly #issuer: TokenIssuer;
  readonly #certificates = new Map<string, Promise<KeyAndCertificate>>();
  readonly #tokens = new Map<string, string>();

  constructor(options: { readonly authority: Authority; readonly issuer: TokenIssuer }) {
    this.#authority = options.authority;
    this.#issuer = options.issuer;
  }

  async send(to: { readonly host: string; readonly port: number }, probe: Probe): Promise<Answer> {
    const certificate = probe.client && (await this.#certificate(probe.client));
    const plain = connect({ ...to, localAddress: probe.from });
    plain.setTimeout(TIMEOUT_MS, () => plain.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    try {
      await once(plain, "connect");
      const socket = certificate === undefined ? plain : secure(plain, certificate, probe.sni);
      socket.write(Buffer.from(this.#head(probe), "latin1"));
      return await readAnswer(socket);
    } finally {
      plain.destroy();
    }
  }

  #head({ method, path, host, headers, jwt }: Probe): string {
    const fields: readonly (readonly [string, string])[] = [
      ["Host", host],
      ...headers,
      ...(jwt === undefined ? [] : [["Authorization", `Bearer ${this.#token(jwt)}`] as const]),
      ["Connection", "close"],
    ];
    return [`${method} ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  }

  #token(payload: Readonly<Record<string, unknown>>): string {
    const key = JSON.stringify(payload);
    const known = this.#tokens.get(key) ?? this.#issuer.issue(payload);
    this.#tokens.set(key, known);
    return known;
  }

  async #certificate(names: CertificateNames): Promise<KeyAndCertificate> {
    const key = JSON.stringify(names);
    const known = this.#certificates.get(key) ?? this.#authority.issue(names);
    this.#certificates.set(key, known);
    return await known;
  }
}

function secure(socket: Socket, own: KeyAndCertificate, sni: string | undefined): Socket {
  return connectTls({
    socket,
    rejectUnauthorized: false,
    ALPNProtocols: [ALPN],
    key: own.key,
    cert: own.certificate,
    ...(sni === undefined ? {} : { servername: sni }),
  });
}
