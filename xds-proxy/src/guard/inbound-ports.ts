/** The ports that others can reach at an Envoy, with the chains that serve them. */
import { chainsOf, connectionManagerOf, decodeListener, type Chain } from "./listener.ts";
import { isOutbound, ownPorts, servingChains } from "./serving.ts";
import type { GuardedPort } from "./types.ts";

export interface InboundPort {
  readonly listener: string;
  readonly port: number;
  readonly chains: readonly Chain[];
  /** Each of its chains has a connection manager. */
  readonly isHttp: boolean;
}

/** Where iptables send what comes in; nobody asks for it by this number. */
const INBOUND_PORT = 15006;

/** @param value - an encoded Listener. @throws Error for what is none */
export function inboundPorts(value: Uint8Array): readonly InboundPort[] {
  const listener = decodeListener(value);
  if (isOutbound(listener)) return [];
  const named = chainsOf(listener).flatMap(({ chain }) => chain.filterChainMatch?.destinationPort ?? []);
  const ports = new Set([...ownPorts(listener), ...named].filter((port) => port > 0 && port !== INBOUND_PORT));
  return [...ports]
    .toSorted((a, b) => a - b)
    .map((port) => {
      const chains = servingChains(listener, { ports: [anyUse(port)] }).map(({ chain }) => chain);
      return { listener: listener.name, port, chains, isHttp: chains.every(isHttp) };
    })
    .filter(({ chains }) => chains.length > 0);
}

export function anyUse(port: number): GuardedPort {
  return { port, tcp: "allow", tls: "none", clientCa: [] };
}

function isHttp({ chain }: Chain): boolean {
  return chain.filters.some((filter) => connectionManagerOf(filter) !== undefined);
}
