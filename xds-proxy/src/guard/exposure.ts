/**
 * Other ways to the application behind a protected port: a cluster that leads to where the port's own inbound cluster leads,
 * a listener or route that uses the inbound cluster itself, a destination that the client may choose.
 *
 * Names of clusters are looked for in the bytes of a resource, so that no type has to be known to be found out.
 */
import { toBinary, type DescMessage, type Message } from "@bufbuild/protobuf";
import { FilterChainSchema, type FilterChain } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema, type RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { RouteAction } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { endpointsIn, HIDDEN, isLoopback, type ClusterFacts, type ClusterView, type Endpoint } from "./cluster-view.ts";
import type { Findings } from "./findings.ts";
import { destinationIsForgeable, handsOn, isOutbound } from "./serving.ts";
import type { Guard } from "./types.ts";
import { walk } from "./walk.ts";

/** Where the application of a protected port listens. */
interface Target {
  readonly port: number;
  readonly endpoints: readonly Endpoint[];
}

export function inboundName(port: number): string {
  return `inbound|${port}|`;
}

export function isInboundOf(name: string, port: number): boolean {
  return name.startsWith(inboundName(port));
}

/** Why a cluster leads to a protected application past the filter; undefined when it does not. */
export function exposureOfCluster(facts: ClusterFacts, guard: Guard, view: ClusterView): string | undefined {
  if (facts.clientChooses) return "a header or metadata of the request says where it goes";
  if (facts.isHidden) return "its endpoints do not come through this stream, where they would be checked";
  return reachedBy(facts, endpointsIn(view, facts), guard, view);
}

export function exposureOfEndpoints(
  name: string,
  endpoints: readonly Endpoint[],
  guard: Guard,
  view: ClusterView,
): string | undefined {
  for (const facts of exposureOf(view, guard).byEdsName.get(name) ?? []) {
    const reason = reachedBy(facts, endpoints, guard, view);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function reachedBy(
  facts: ClusterFacts,
  endpoints: readonly Endpoint[],
  guard: Guard,
  view: ClusterView,
): string | undefined {
  if (endpoints.includes(HIDDEN)) return "its endpoints come by LEDS, where nobody checks them";
  for (const { port, endpoints: targets } of exposureOf(view, guard).targets) {
    if (isInboundOf(facts.name, port)) continue;
    if (facts.kind === "original-dst") {
      if (facts.portOverride === port) return `it sends everything to port ${port}`;
      continue;
    }
    const found = endpoints.find((endpoint) => targets.some((target) => isSame(endpoint, target)));
    if (found !== undefined) return `it leads to ${found.address}:${found.port}, the application of port ${port}`;
    if (facts.fromLoopback && endpoints.some((endpoint) => endpoint.port === port))
      return `it leaves from a loopback address, past the interception, to port ${port}`;
  }
  return undefined;
}

/** What a view means for a Guard. */
interface Exposure {
  readonly targets: readonly Target[];
  /** Whether the view has an inbound cluster of a protected port. */
  readonly hasApplication: boolean;
  /** Clusters that lead to an application, or may where a client has a say. */
  readonly suspects: readonly ClusterFacts[];
  readonly byEdsName: ReadonlyMap<string, readonly ClusterFacts[]>;
}

const EXPOSURES = new WeakMap<ClusterView, WeakMap<Guard, Exposure>>();

/** Found out once for each view and Guard: a view may have ten thousand clusters. */
function exposureOf(view: ClusterView, guard: Guard): Exposure {
  const ofView = EXPOSURES.get(view) ?? new WeakMap<Guard, Exposure>();
  EXPOSURES.set(view, ofView);
  const known = ofView.get(guard);
  if (known) return known;
  const clusters = [...view.clusters.values()];
  const inbound = clusters.filter(({ name }) => name.startsWith("inbound|"));
  const hasApplication = inbound.some(({ name }) => guard.ports.some(({ port }) => isInboundOf(name, port)));
  const targets = targetsOf(guard, inbound, view);
  const byEdsName = new Map<string, ClusterFacts[]>();
  for (const facts of clusters) {
    if (facts.edsName === undefined) continue;
    const others = byEdsName.get(facts.edsName);
    if (others) others.push(facts);
    else byEdsName.set(facts.edsName, [facts]);
  }
  const exposure = { targets, hasApplication, suspects: [] as ClusterFacts[], byEdsName };
  ofView.set(guard, exposure);
  const mayLead = (facts: ClusterFacts): boolean =>
    facts.kind !== "endpoints" || exposureOfCluster(facts, guard, view) !== undefined;
  exposure.suspects.push(...clusters.filter(mayLead));
  return exposure;
}

/** All that the check of another resource asks of a view: where it is the same, so is what was found. */
export function exposureKey(view: ClusterView, guards: readonly Guard[]): string {
  return JSON.stringify(
    guards.map((guard) => {
      const { targets, hasApplication, suspects } = exposureOf(view, guard);
      return [targets, hasApplication, suspects.map((facts) => [facts, endpointsIn(view, facts)])];
    }),
  );
}

/** Of an inbound cluster that is not there, or keeps the original destination: this machine, at the port. */
function targetsOf(guard: Guard, inbound: readonly ClusterFacts[], view: ClusterView): readonly Target[] {
  return guard.ports.map(({ port }) => {
    const own = inbound.filter(({ name }) => isInboundOf(name, port));
    const places = own.flatMap((facts) => endpointsIn(view, facts));
    return { port, endpoints: [...places, { address: "127.0.0.1", port }] };
  });
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && (a.address === b.address || (isLoopback(a.address) && isLoopback(b.address)));
}

/** A cluster of clusters, whatever its type. */
export function exposureOfClusterBytes(name: string, value: Uint8Array, guard: Guard): string | undefined {
  const port = guard.ports.find(
    (item) => !isInboundOf(name, item.port) && includes(value, inboundName(item.port)),
  )?.port;
  return port === undefined ? undefined : `it is made of ${inboundName(port)}|`;
}

/** Chains that serve other ports. */
export function checkChainExposure(
  { chain, where, listener }: { chain: FilterChain; where: string; listener: Listener },
  guard: Guard,
  view: ClusterView,
  findings: Findings,
): void {
  const bytes = bytesOf(chain);
  for (const { port } of guard.ports)
    if (includes(bytes, inboundName(port)))
      findings.add("exposure", where, `it leads to ${inboundName(port)}|, and does not serve port ${port}`);
  if (isOutbound(listener)) return;
  for (const facts of exposureOf(view, guard).suspects) {
    if (!includes(bytes, facts.name)) continue;
    const reason = indirect(facts, listener, guard, view);
    if (reason !== undefined) findings.add("exposure", where, `it leads to ${facts.name}: ${reason}`);
  }
}

/** What is nothing by itself, and becomes a way to the application where others can reach it. */
function indirect(facts: ClusterFacts, listener: Listener, guard: Guard, view: ClusterView): string | undefined {
  const direct = exposureOfCluster(facts, guard, view);
  if (direct !== undefined) return direct;
  if (facts.kind === "original-dst" && destinationIsForgeable(listener))
    return "the client can say which destination that is";
  const { targets, hasApplication } = exposureOf(view, guard);
  if (!hasApplication) return undefined;
  const ports = new Set(targets.flatMap(({ endpoints }) => endpoints.map(({ port }) => port)));
  if (facts.kind === "dns" && endpointsIn(view, facts).some(({ port }) => ports.has(port)))
    return "a name that may lead to this machine, at the application's port";
  return facts.kind === "other" ? "its destination is not known here" : undefined;
}

export function checkListenerExposure(listener: Listener, findings: Findings): void {
  if (handsOn(listener))
    findings.add(
      "exposure",
      "use_original_dst",
      "it hands connections on to listeners that only the workload itself may reach",
    );
}

/** Of RDS: it is not known here who uses it, but istiod's own routes to inbound clusters are always in the listener. */
export function checkRouteExposure(
  { routes, value, view }: { routes: RouteConfiguration; value: Uint8Array; view: ClusterView },
  guard: Guard,
  findings: Findings,
): void {
  for (const { port } of guard.ports)
    if (includes(value, inboundName(port))) findings.add("exposure", "", `a route leads to ${inboundName(port)}|`);
  for (const facts of exposureOf(view, guard).suspects) {
    const reason = includes(value, facts.name) ? exposureOfCluster(facts, guard, view) : undefined;
    if (reason !== undefined) findings.add("exposure", "", `a route leads to ${facts.name}: ${reason}`);
  }
  checkChosenCluster(RouteConfigurationSchema, routes, "", findings);
}

/** @param where - of the message */
export function checkChosenCluster(schema: DescMessage, message: Message, where: string, findings: Findings): void {
  walk(schema, message, where, {
    message: (visited) => {
      if (visited.schema.typeName !== "envoy.config.route.v3.RouteAction") return;
      const { clusterSpecifier } = visited.message as RouteAction;
      if (clusterSpecifier.case === "clusterHeader")
        findings.add(
          "exposure",
          visited.where,
          `the header ${clusterSpecifier.value} says which cluster a request goes to`,
        );
    },
    any: () => true,
    unreadable: () => undefined,
  });
}

function includes(bytes: Uint8Array, text: string): boolean {
  return text !== "" && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
}

function bytesOf(chain: FilterChain): Uint8Array {
  return toBinary(FilterChainSchema, chain);
}
