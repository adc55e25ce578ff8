/** A row as the policy engines see it, to compare them with Envoy without Envoy in between. */
import { parseSocketAddress } from "../../../xds-proxy/src/policy/address.ts";
import type { PolicyRequest } from "../../../xds-proxy/src/policy/types.ts";
import type { Row } from "./group.ts";
import { DEFAULT_FROM, DEFAULT_HOST, DEFAULT_TO } from "./raw-client.ts";

/** Headers that Envoy keeps as one, and what it puts between their values. */
const JOINED: ReadonlyMap<string, string> = new Map([["user-agent", ","]]);

export function asPolicyRequest(row: Row): PolicyRequest {
  const [, method = "", path = ""] = /^(\S+) (.*)$/s.exec(row.line) ?? [];
  const names = row.client === "none" ? undefined : row.client;
  const headers = joinRepeated((row.headers ?? []).map(([name, value]) => [name.toLowerCase(), value.trim()] as const));
  return {
    path,
    method,
    host: row.host ?? DEFAULT_HOST,
    remoteAddress: forwardedFor(headers) ?? row.from ?? DEFAULT_FROM,
    destinationAddress: row.to ?? DEFAULT_TO,
    peerUri: names?.uri,
    peerDns: names?.dns,
    peerSubject: names?.commonName === undefined ? undefined : `CN=${names.commonName}`,
    sni: row.sni,
    headers,
    claims: row.jwt,
  };
}

/** The last address of X-Forwarded-For, which Istio's inbound listeners believe. */
function forwardedFor(headers: readonly (readonly [string, string])[]): string | undefined {
  const last =
    headers
      .find(([name]) => name === "x-forwarded-for")?.[1]
      .split(",")
      .at(-1)
      ?.trim() ?? "";
  return parseSocketAddress(last) === undefined ? undefined : last;
}

function joinRepeated(headers: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const joined = new Map<string, string>();
  const others: (readonly [string, string])[] = [];
  for (const [name, value] of headers) {
    const separator = JOINED.get(name);
    const before = joined.get(name);
    if (separator === undefined) others.push([name, value]);
    else joined.set(name, before === undefined ? value : before + separator + value);
  }
  return [...joined, ...others];
}
