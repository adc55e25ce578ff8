/**
 * Tokens of Kubernetes service accounts (bound tokens, "Service account token volume projection"): signed by one of the
 * issuer's keys, for our audience, not expired. Subset: ES256 and RS256.
 */
import { readFile, stat } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from "jose";
import { isRecord } from "../bytes/record.ts";
import { ConfigError } from "../errors.ts";
import { isNamespaceName, isObjectName } from "./names.ts";
import { refused } from "./types.ts";
import type { IdentityRefusal, Workload } from "./types.ts";

const ALGORITHMS = ["ES256", "RS256"];
const TOKEN_MAX_CHARS = 16_384;
const JWKS_MAX_BYTES = 1024 * 1024;
const FETCH_TIMEOUT_MS = 5_000;
const CLOCK_SKEW_SEC = 30;

export interface TokenOptions {
  readonly issuer: string;
  readonly audience: string;
  /** A file, read again when it has changed, or an `https:` URL (`http:` on a loopback address only). */
  readonly jwks: string;
  readonly nowMs: () => number;
}

export type TokenVerdict = ({ readonly ok: true } & Workload) | IdentityRefusal;

export class TokenVerifier {
  private readonly options: TokenOptions;
  private readonly keys: () => Promise<JWTVerifyGetKey>;

  /** @throws ConfigError for a URL that is neither `https:` nor local. */
  constructor(options: TokenOptions) {
    this.options = options;
    this.keys = keySource(options.jwks);
  }

  async verify(token: string): Promise<TokenVerdict> {
    if (token.length > TOKEN_MAX_CHARS) return refused("CREDENTIALS", "the token is too long");
    const { issuer, audience, nowMs } = this.options;
    try {
      const { payload } = await jwtVerify(token, await this.keys(), {
        ...{ issuer, audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_SKEW_SEC },
        currentDate: new Date(nowMs()),
        requiredClaims: ["exp", "sub"],
      });
      return workloadOf(payload);
    } catch (error) {
      return refusalOf(error);
    }
  }
}

/** The claims that the token controller writes; the subject says the same once more. */
function workloadOf(payload: JWTPayload): TokenVerdict {
  const claim = payload["kubernetes.io"];
  const account = isRecord(claim) ? claim["serviceaccount"] : undefined;
  const namespace = isRecord(claim) ? claim["namespace"] : undefined;
  const serviceAccount = isRecord(account) ? account["name"] : undefined;
  if (typeof namespace !== "string" || !isNamespaceName(namespace)) return unclear();
  if (typeof serviceAccount !== "string" || !isObjectName(serviceAccount)) return unclear();
  if (payload.sub !== `system:serviceaccount:${namespace}:${serviceAccount}`) return unclear();
  return { ok: true, namespace, serviceAccount };
}

function unclear(): IdentityRefusal {
  return refused("CREDENTIALS", "the token does not name one service account");
}

/** What is said of a token never repeats a part of it. */
function refusalOf(error: unknown): IdentityRefusal {
  if (error instanceof errors.JWTExpired) return refused("CREDENTIALS", "the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused("CREDENTIALS", `the claim ${error.claim} of the token is not as configured`);
  }
  if (error instanceof errors.JWKSNoMatchingKey) return refused("CREDENTIALS", "the token is signed by an unknown key");
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refused("CREDENTIALS", "the token's signature does not verify");
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return refused("CREDENTIALS", "the token's algorithm is not allowed");
  if (error instanceof errors.JWKSTimeout || !isTokenFault(error)) {
    return refused("KEYS", "the issuer's keys cannot be had");
  }
  return refused("CREDENTIALS", "the token is malformed");
}

function isTokenFault(error: unknown): boolean {
  return (
    error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported
  );
}

function keySource(jwks: string): () => Promise<JWTVerifyGetKey> {
  if (!/^https?:/.test(jwks)) return fileSource(jwks);
  const url = URL.canParse(jwks) ? new URL(jwks) : undefined;
  if (url === undefined || !(url.protocol === "https:" || isLoopback(url.hostname))) {
    throw new ConfigError([{ path: "identity.jwt.jwks", message: "neither a file nor an https: URL" }]);
  }
  const keys = createRemoteJWKSet(url, { timeoutDuration: FETCH_TIMEOUT_MS });
  return () => Promise.resolve(keys);
}

function isLoopback(hostname: string): boolean {
  return hostname === "127.0.0.1" || hostname === "[::1]" || hostname === "localhost";
}

/** Kubernetes replaces projected files by renaming, so that a change shows in the inode as well. */
function fileSource(path: string): () => Promise<JWTVerifyGetKey> {
  let known: { readonly mark: string; readonly keys: JWTVerifyGetKey } | undefined;
  return async () => {
    const { ino, mtimeMs, size } = await stat(path);
    const mark = `${ino} ${mtimeMs} ${size}`;
    if (known?.mark === mark) return known.keys;
    if (size > JWKS_MAX_BYTES) throw new ConfigError([{ path: "identity.jwt.jwks", message: "too long" }]);
    const keys = createLocalJWKSet(JSON.parse(await readFile(path, "utf8")) as JSONWebKeySet);
    known = { mark, keys };
    return keys;
  };
}
