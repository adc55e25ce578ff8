/** The configuration's members `wrap` and `identity`: how pushes are signed, and who may have them. */
import { resolve } from "node:path";
import { isRecord } from "../bytes/record.ts";
import type { TextRule } from "./checker.ts";
import type { PlaceChecker } from "./place-checker.ts";
import type { IdentityConfig, JwtConfig, ListenConfig, WrapConfig } from "./proxy-config.ts";
import { CONTACT } from "./schema.ts";

export const DEFAULT_HEARTBEAT_SEC = 30;
const HOUR_SEC = 3_600;
const TEXT: TextRule = { pattern: /^\S+$/, expected: "a text without white space" };
const JWKS: TextRule = { pattern: /^(?!https?:)[^\0\n]+$|^https:\/\/\S+$/, expected: "a path or an https: address" };

export function readHeartbeatSec(checker: PlaceChecker, value: unknown, path: string): number {
  return checker.integer(value, path, { min: 1, max: HOUR_SEC, default: DEFAULT_HEARTBEAT_SEC });
}

export function readWrap(checker: PlaceChecker, value: unknown): WrapConfig {
  const given = checker.object(value, "wrap", ["key", "bundle", "contact", "heartbeatSec", "recipients"]);
  return {
    key: checker.file(given["key"], "wrap.key"),
    bundle: checker.file(given["bundle"], "wrap.bundle"),
    contact: checker.text(given["contact"], "wrap.contact", CONTACT),
    heartbeatSec: readHeartbeatSec(checker, given["heartbeatSec"], "wrap.heartbeatSec"),
    ...checker.optionalFile(given["recipients"], "wrap.recipients", "recipients"),
  };
}

/** @param listen - for what the transport must give */
export function readIdentity(
  checker: PlaceChecker,
  value: unknown,
  { folder, listen }: { readonly folder: string; readonly listen: readonly ListenConfig[] },
): IdentityConfig {
  const given = checker.object(value ?? {}, "identity", ["jwt", "mtls", "upstream"]);
  const { jwt } = given;
  const mtls = checker.flag(given["mtls"], "identity.mtls");
  const upstream = checker.choice(given["upstream"] ?? (jwt === undefined ? "none" : "token"), "identity.upstream", [
    "token",
    "xfcc",
    "none",
  ]);
  if (mtls && listen.some(({ tls }) => tls?.clientCa === undefined))
    checker.fault("identity.mtls", "every address of listen needs tls.clientCa then");
  if (upstream === "token" && jwt === undefined) checker.fault("identity.upstream", "token needs identity.jwt");
  if (upstream === "xfcc" && !mtls) checker.fault("identity.upstream", "xfcc needs identity.mtls");
  return { ...(jwt !== undefined && { jwt: readJwt(checker, jwt, folder) }), mtls, upstream };
}

function readJwt(checker: PlaceChecker, value: unknown, folder: string): JwtConfig {
  const given = checker.object(value, "identity.jwt", ["issuer", "audience", "jwks"]);
  const jwks = checker.text(given["jwks"], "identity.jwt.jwks", JWKS);
  return {
    issuer: checker.text(given["issuer"], "identity.jwt.issuer", TEXT),
    audience: checker.text(given["audience"], "identity.jwt.audience", TEXT),
    jwks: jwks.startsWith("https://") ? jwks : resolve(folder, jwks),
  };
}

/** Whether the member is there and says something. */
export function isGiven(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length > 0;
}
