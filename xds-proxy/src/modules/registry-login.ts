/** Credentials of a Docker configuration, and what a registry gives for them (distribution specification, "Token Authentication"). */
import { isIP } from "node:net";
import { isRecord } from "../bytes/record.ts";
import { UpstreamError } from "../errors.ts";
import type { HttpAnswer } from "./http-get.ts";
import type { ImageReference } from "./image-reference.ts";

/** base64 of `user:password`, for the registry of this image; undefined when the configuration has none.
 *  @throws UpstreamError LOGIN, which says nothing of the content */
export function credentialsFor({ registry, host }: ImageReference, pullSecret: string | undefined): string | undefined {
  if (pullSecret === undefined) return undefined;
  const configuration = parse(pullSecret);
  if (configuration === null) return undefined;
  const auths = isRecord(configuration) ? (configuration["auths"] ?? {}) : undefined;
  if (!isRecord(auths)) throw new UpstreamError("LOGIN", `the pull secret for ${host} is not a Docker configuration`);
  const entry = Object.entries(auths).find(([key]) => key === registry || hostOf(key) === hostOf(registry))?.[1];
  if (!isRecord(entry)) return undefined;
  const { auth, username, password } = entry;
  if (typeof auth === "string" && auth !== "" && BASE64.test(auth)) return auth;
  if (typeof username !== "string" || typeof password !== "string") return undefined;
  return Buffer.from(`${username}:${password}`).toString("base64");
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error's text has a part of the secret in it.
    return undefined;
  }
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

export type Challenge = { readonly scheme: "basic" } | { readonly scheme: "bearer"; readonly url: URL };

/** What the registry asks for with status 401.
 *  @throws UpstreamError LOGIN for a place that credentials must not be sent to */
export function challengeOf({ headers }: HttpAnswer, image: ImageReference, registryUrl: URL): Challenge | undefined {
  const header = headers.get("www-authenticate") ?? "";
  const bearer = /\bBearer\s+(.*)$/i.exec(header)?.[1];
  if (bearer === undefined) return /\bBasic\b/i.test(header) ? { scheme: "basic" } : undefined;
  const parameters = new Map(
    [...bearer.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name = "", text = ""]) => [name, text]),
  );
  const url = realmOf(parameters.get("realm") ?? "", image, registryUrl);
  const service = parameters.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", `repository:${image.repository}:pull`);
  return { scheme: "bearer", url };
}

/** The registry chooses where we go next: never to a place that only this machine can reach, unless it is there itself. */
function realmOf(realm: string, { host }: ImageReference, registryUrl: URL): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isSafe =
    url !== undefined &&
    (url.protocol === "https:" || (url.protocol === "http:" && registryUrl.protocol === "http:")) &&
    url.username === "" &&
    (url.hostname === registryUrl.hostname || !isInside(url.hostname));
  if (!isSafe) throw new UpstreamError("LOGIN", `registry ${host}: asks to log in at a place that is not allowed`);
  return url;
}

function isInside(hostname: string): boolean {
  if (isIP(hostname) === 4) return INSIDE_V4.test(hostname);
  if (hostname.startsWith("[")) return INSIDE_V6.test(hostname);
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "metadata.google.internal";
}

const INSIDE_V4 = /^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))\./;
const INSIDE_V6 = /^\[(?:::|f[cd]|fe[89ab])/i;

/** @throws UpstreamError LOGIN */
export function tokenOf({ body }: HttpAnswer, host: string): string {
  const answer = parse(Buffer.from(body).toString("utf8"));
  const token = isRecord(answer) ? (answer["token"] ?? answer["access_token"]) : undefined;
  if (typeof token !== "string" || !/^[!-~]+$/.test(token))
    throw new UpstreamError("LOGIN", `registry ${host}: the login gives no token`);
  return token;
}
