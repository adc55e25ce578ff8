/** Guards that the captured configuration keeps. */
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { sha256Hex } from "../../xds-proxy/src/guard/code.ts";
import { parseGuard } from "../../xds-proxy/src/guard/check.ts";
import type { Guard } from "../../xds-proxy/src/guard/types.ts";
import { ISSUER, JWKS, MODULE_SHA256 } from "./captures.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Spec = Readonly<Record<string, Json>>;

export function guardObject(namespace: string, spec: Spec = {}): Readonly<Record<string, Json>> {
  return {
    ...{ apiVersion: "wpgate.dev/v1", kind: "Guard", metadata: { name: "shop", namespace } },
    spec: {
      selector: { matchLabels: { app: "shop" } },
      ports: [{ port: 8080 }, { port: 7070 }, { port: 9000, tcp: "allow" }],
      filter: { sha256: [MODULE_SHA256], environment: { hostKeys: ["WPGATE_RECIPIENT"] } },
      jwt: [{ issuer: ISSUER, jwksSha256: [sha256Hex(JWKS)] }],
      http: {
        ...{ normalizePath: true, mergeSlashes: false, pathWithEscapedSlashesAction: "KEEP_UNCHANGED" },
        ...{ useRemoteAddress: false, xffNumTrustedHops: 0, forwardClientCertDetails: "APPEND_FORWARD" },
      },
      ...spec,
    },
  };
}

export function guardOf(namespace: string, spec: Spec = {}): Guard {
  const { guard, faults } = parseGuard(utf8(JSON.stringify(guardObject(namespace, spec))));
  if (guard === undefined) throw new Error(faults.map(({ where, message }) => `${where}: ${message}`).join("; "));
  return guard;
}

const GATEWAY: Spec = {
  ports: [{ port: 8080 }, { port: 8443, tls: "simple" }],
  routes: { rds: "allow", rewrite: "allow" },
  http: { normalizePath: true, useRemoteAddress: true, xffNumTrustedHops: 0, forwardClientCertDetails: "SANITIZE_SET" },
};
const MUTUAL: Spec = {
  ports: [
    { port: 8080, tls: "mutual" },
    { port: 7070, tls: "mutual" },
    { port: 9000, tcp: "allow", tls: "mutual" },
  ],
};

/** By the name of the capture. */
export const KEPT: Readonly<Record<string, Guard>> = {
  "sidecar-redirect": guardOf("team-a"),
  "sidecar-strict": guardOf("team-b", MUTUAL),
  "sidecar-none": guardOf("team-c", { ports: [{ port: 8080 }] }),
  gateway: guardOf("team-d", GATEWAY),
};
