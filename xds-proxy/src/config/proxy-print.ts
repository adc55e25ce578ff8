/** The configuration in the form of its file, every member written out; reading it gives the same configuration. */
import { stringify } from "yaml";
import { formatAddress } from "./addresses.ts";
import type { ListenConfig, ProxyConfig, UpstreamConfig } from "./proxy-config.ts";
import { wraps } from "./proxy-schema.ts";

/** Secrets are in files, of which only the paths are here. */
export function printProxyConfig(config: ProxyConfig): string {
  const { upstream, listen, identity, admin, ...rest } = config;
  const document = {
    ...rest,
    upstream: upstreamDocument(upstream),
    listen: listen.map(listenDocument),
    ...(wraps(config.mode) && { identity }),
    admin: admin === undefined ? "none" : formatAddress(admin),
  };
  return stringify(document, { lineWidth: 0 });
}

function upstreamDocument({ address, ...rest }: UpstreamConfig): unknown {
  return { address: formatAddress(address), ...rest };
}

function listenDocument({ address, socketMode, ...rest }: ListenConfig): unknown {
  const mode = address.kind === "unix" ? { socketMode: `0${socketMode.toString(8).padStart(3, "0")}` } : {};
  return { address: formatAddress(address), ...rest, ...mode };
}
