/** One request, as it goes to both sides. */
import type { CertificateNames } from "../../scenarios/certificates.ts";
import { ISSUERS, TRUST_DOMAIN } from "./place.ts";

export interface Probe {
  readonly method: string;
  /** With its query; one byte for each character. */
  readonly path: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The client's address, one of 127.0.0.0/8. */
  readonly from: string;
  /** Which of the two listeners. */
  readonly entrance: 0 | 1;
  /** mTLS with this certificate; plain text when absent. */
  readonly client?: CertificateNames | undefined;
  /** Where there is TLS. */
  readonly sni?: string | undefined;
  /** Payload of a token that the listener verifies. */
  readonly jwt?: Readonly<Record<string, unknown>> | undefined;
}

/** Others are no HTTP to Envoy. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"];

/** Nothing that most policies ask for. */
export const PLAIN: Probe = {
  method: "GET",
  path: "/",
  host: "web.example",
  headers: [],
  from: "127.0.0.1",
  entrance: 0,
};

/** A client of the mesh. */
export function account(namespace: string, name: string, domain: string = TRUST_DOMAIN): CertificateNames {
  return { uri: `spiffe://${domain}/ns/${namespace}/sa/${name}` };
}

/** A token of the first issuer. */
export function token(payload: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { iss: ISSUERS[0], sub: "alice", ...payload };
}

export function withHeaders(...headers: Probe["headers"]): Probe {
  return { ...PLAIN, headers };
}

export function onPaths(...paths: readonly string[]): readonly Probe[] {
  return paths.map((path) => ({ ...PLAIN, path }));
}

/** What differs from a plain request. */
export function describeProbe(probe: Probe): string {
  const { method, path, ...others } = probe;
  const rest = Object.entries(others).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(PLAIN[name as keyof Probe]),
  );
  return `${method} ${path} ${JSON.stringify(Object.fromEntries(rest))}`;
}
