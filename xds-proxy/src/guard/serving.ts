/**
 * Which filter chains serve a port. Envoy looks at the destination port first and does not go back from a match, so that
 * chains without a port serve one only where no chain names it; the default chain takes whatever nothing else matches.
 */
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { Address } from "../gen/proto/envoy/config/core/v3/address_pb.js";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { chainsOf, type Chain } from "./listener.ts";
import { typeNameOf } from "./unpack.ts";
import type { Guard, GuardedPort } from "./types.ts";

export interface Serving {
  readonly chain: Chain;
  readonly port: GuardedPort;
}

/** Where the proxy's own outgoing traffic is redirected to, by iptables rules that the pod spec pins. */
const OUTBOUND_PORT = 15001;
const KEEPS_DESTINATION: ReadonlySet<string> = new Set([
  "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
  "envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit",
]);
const ORIGINAL_DST = "envoy.extensions.filters.listener.original_dst.v3.OriginalDst";

export function servingChains(listener: Listener, guard: Pick<Guard, "ports">): readonly Serving[] {
  return guard.ports.flatMap((port) => chainsFor(listener, port.port).map((chain) => ({ chain, port })));
}

/** Takes what this workload itself sends: nobody else can reach it, as long as no other listener hands on to it. */
export function isOutbound(listener: Listener): boolean {
  if (listener.trafficDirection !== TrafficDirection.OUTBOUND) return false;
  return listener.bindToPort === false || ownPorts(listener).includes(OUTBOUND_PORT);
}

/** Whether it gives connections to listeners by their original destination. */
export function handsOn(listener: Listener): boolean {
  return listener.useOriginalDst === true && !ownPorts(listener).includes(OUTBOUND_PORT);
}

/** Whether a client can say what the destination is, other than by connecting to it. */
export function destinationIsForgeable(listener: Listener): boolean {
  return listener.listenerFilters.some(
    (filter) => !KEEPS_DESTINATION.has(typeOf(filter)) && typeOf(filter) !== ORIGINAL_DST,
  );
}

export function ownPorts({ address, additionalAddresses }: Listener): readonly number[] {
  return [address, ...additionalAddresses.map((additional) => additional.address)].flatMap(portOf);
}

function chainsFor(listener: Listener, port: number): readonly Chain[] {
  if (isOutbound(listener)) return [];
  const chains = chainsOf(listener);
  const named = chains.filter(({ chain }) => chain.filterChainMatch?.destinationPort === port);
  const takesAny = ownPorts(listener).includes(port) || restoresDestination(listener);
  if (!takesAny && named.length === 0) return [];
  if (listener.filterChainMatcher !== undefined) return chains;
  const unnamed = chains.filter(
    ({ chain, isDefault }) => !isDefault && chain.filterChainMatch?.destinationPort === undefined,
  );
  return [...(named.length > 0 ? named : unnamed), ...chains.filter(({ isDefault }) => isDefault)];
}

function restoresDestination(listener: Listener): boolean {
  return (
    listener.useOriginalDst === true ||
    listener.listenerFilters.some((filter) => !KEEPS_DESTINATION.has(typeOf(filter)))
  );
}

function typeOf({ configType }: Listener["listenerFilters"][number]): string {
  return configType.case === "typedConfig" ? typeNameOf(configType.value.typeUrl) : "";
}

function portOf(address: Address | undefined): readonly number[] {
  if (address?.address.case !== "socketAddress") return [];
  const { portSpecifier } = address.address.value;
  return portSpecifier.case === "portValue" ? [portSpecifier.value] : [];
}
