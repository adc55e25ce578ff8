/** Where clusters lead, of what CDS and EDS say at the moment: what a check of listeners and routes has to know. */
import { fromBinary } from "@bufbuild/protobuf";
import { equals } from "../bytes/octets.ts";
import { ClusterSchema, Cluster_DiscoveryType, type Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { Address } from "../gen/proto/envoy/config/core/v3/address_pb.js";
import {
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
} from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";

export interface Endpoint {
  /** An IP address, a DNS name, or the path of a socket. */
  readonly address: string;
  /** 0 for a socket. */
  readonly port: number;
}

export interface ClusterFacts {
  readonly name: string;
  /** Where a connection goes: to these, to where it was sent, or to where names lead. */
  readonly kind: "endpoints" | "original-dst" | "dns" | "other";
  /** Of the cluster itself; those of EDS come from the view. */
  readonly endpoints: readonly Endpoint[];
  /** Under which EDS delivers more; undefined when it does not. */
  readonly edsName: string | undefined;
  /** Leaves from a loopback address, which the interception rules of a pod let through to the application. */
  readonly fromLoopback: boolean;
  /** Of an original destination: the port that takes the place of the one that was asked for. */
  readonly portOverride: number | undefined;
  /** A header or metadata says where a request goes. */
  readonly clientChooses: boolean;
  /** Some of its endpoints come from where they are not seen here. */
  readonly isHidden: boolean;
}

export interface ClusterView {
  readonly clusters: ReadonlyMap<string, ClusterFacts>;
  /** By the name under which EDS delivers them. */
  readonly assignments: ReadonlyMap<string, readonly Endpoint[]>;
}

/** Stands for endpoints that are delivered in another way. */
export const HIDDEN: Endpoint = { address: "", port: -1 };

/** What cannot be read is left out: it was refused on its own. */
export function clusterView(clusters: Iterable<Uint8Array>, endpoints: Iterable<Uint8Array>): ClusterView {
  return {
    clusters: new Map(readable(clusters, clusterFacts).map((facts) => [facts.name, facts] as const)),
    assignments: new Map(readable(endpoints, assignmentFacts)),
  };
}

/** Views that follow each other: what keeps its bytes keeps its facts, and where nothing changes the view is the same object. */
export class ClusterViews {
  readonly #clusters = new Known(clusterFacts);
  readonly #assignments = new Known(assignmentFacts);
  #view: ClusterView = { clusters: new Map(), assignments: new Map() };

  /** @param clusters - by name, as are the endpoints */
  next(clusters: ReadonlyMap<string, Encoded>, endpoints: ReadonlyMap<string, Encoded>): ClusterView {
    const facts = this.#clusters.of(clusters);
    const places = this.#assignments.of(endpoints);
    if (facts.changed || places.changed)
      this.#view = {
        clusters: new Map(facts.all.map((one) => [one.name, one] as const)),
        assignments: new Map(places.all),
      };
    return this.#view;
  }
}

interface Encoded {
  readonly value: Uint8Array;
}

class Known<T> {
  readonly #read: (value: Uint8Array) => T;
  #facts = new Map<string, { readonly value: Uint8Array; readonly read: readonly T[] }>();

  constructor(read: (value: Uint8Array) => T) {
    this.#read = read;
  }

  of(encoded: ReadonlyMap<string, Encoded>): { readonly all: readonly T[]; readonly changed: boolean } {
    const before = this.#facts;
    let changed = before.size !== encoded.size;
    this.#facts = new Map(
      Array.from(encoded, ([name, { value }]) => {
        const known = before.get(name);
        if (known && equals(known.value, value)) return [name, { ...known, value }];
        changed = true;
        return [name, { value, read: readable([value], this.#read) }];
      }),
    );
    return { all: [...this.#facts.values()].flatMap(({ read }) => read), changed };
  }
}

/** @throws Error for what is no Cluster */
export function clusterFacts(value: Uint8Array): ClusterFacts {
  const cluster = fromBinary(ClusterSchema, value);
  const { name, loadAssignment, edsClusterConfig, upstreamBindConfig, lbConfig } = cluster;
  const kind = kindOf(cluster);
  const original = lbConfig.case === "originalDstLbConfig" ? lbConfig.value : undefined;
  const sources = [
    upstreamBindConfig?.sourceAddress,
    ...(upstreamBindConfig?.extraSourceAddresses ?? []).map(({ address }) => address),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- Envoy still reads it
    ...(upstreamBindConfig?.additionalSourceAddresses ?? []),
  ];
  return {
    ...{ name, kind, endpoints: loadAssignment ? endpointsOf(loadAssignment) : [] },
    edsName: isEds(cluster) ? edsClusterConfig?.serviceName || name : undefined,
    fromLoopback: sources.some((source) => source !== undefined && isLoopback(source.address)),
    portOverride: original?.upstreamPortOverride,
    isHidden: isHidden(cluster),
    clientChooses: original !== undefined && (original.useHttpHeader || original.metadataKey !== undefined),
  };
}

/** @throws Error for what is no ClusterLoadAssignment */
export function assignmentFacts(value: Uint8Array): readonly [string, readonly Endpoint[]] {
  const assignment = fromBinary(ClusterLoadAssignmentSchema, value);
  return [assignment.clusterName, endpointsOf(assignment)];
}

/** All that a cluster leads to, EDS included. */
export function endpointsIn(view: ClusterView, facts: ClusterFacts): readonly Endpoint[] {
  const delivered = facts.edsName === undefined ? [] : (view.assignments.get(facts.edsName) ?? []);
  return [...facts.endpoints, ...delivered];
}

/** This machine, by whatever name: 0.0.0.0 and :: connect to it, too. */
export function isLoopback(address: string): boolean {
  const text = address.toLowerCase().replace(/\.$/, "");
  if (text === "localhost" || text.endsWith(".localhost") || text === "localhost.localdomain") return true;
  const v4 = text.replace(/^(?:0{0,4}:){2,6}(?:ffff:)?(?=\d+\.\d+\.\d+\.\d+$)/, "");
  if (/^(?:127|0)(?:\.\d+){3}$/.test(v4)) return true;
  if (/^[0:]+ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/.test(text)) return true;
  return text.includes(":") && /^[0:]*[01]?$/.test(text);
}

function kindOf({ clusterDiscoveryType }: Cluster): ClusterFacts["kind"] {
  if (clusterDiscoveryType.case === "clusterType") return "other";
  switch (clusterDiscoveryType.value) {
    case Cluster_DiscoveryType.ORIGINAL_DST:
      return "original-dst";
    case Cluster_DiscoveryType.STRICT_DNS:
    case Cluster_DiscoveryType.LOGICAL_DNS:
      return "dns";
    default:
      return "endpoints";
  }
}

function isEds({ clusterDiscoveryType: type }: Cluster): boolean {
  return type.case === "type" && type.value === Cluster_DiscoveryType.EDS;
}

function isHidden(cluster: Cluster): boolean {
  return isEds(cluster) && cluster.edsClusterConfig?.edsConfig?.configSourceSpecifier.case !== "ads";
}

/** Endpoints that come by LEDS are marked, because they are not seen here. */
function endpointsOf({ endpoints, namedEndpoints }: ClusterLoadAssignment): readonly Endpoint[] {
  const hosts = endpoints.flatMap(({ lbEndpoints, lbConfig }) => [
    ...lbEndpoints,
    ...(lbConfig.case === "loadBalancerEndpoints" ? lbConfig.value.lbEndpoints : []),
  ]);
  const hidden = endpoints.some(({ lbConfig }) => lbConfig.case === "ledsClusterLocalityConfig");
  if (hidden) return [HIDDEN];
  const direct = hosts.flatMap(({ hostIdentifier }) =>
    hostIdentifier.case === "endpoint" ? [hostIdentifier.value] : [],
  );
  return [...direct, ...Object.values(namedEndpoints)].flatMap(({ address, additionalAddresses }) =>
    [address, ...additionalAddresses.map((additional) => additional.address)].flatMap(placeOf),
  );
}

function placeOf(address: Address | undefined): readonly Endpoint[] {
  const place = address?.address;
  if (place?.case === "pipe") return [{ address: place.value.path, port: 0 }];
  if (place?.case !== "socketAddress") return [];
  const { portSpecifier } = place.value;
  return [{ address: place.value.address, port: portSpecifier.case === "portValue" ? portSpecifier.value : 0 }];
}

function readable<T>(values: Iterable<Uint8Array>, read: (value: Uint8Array) => T): T[] {
  return [...values].flatMap((value) => {
    try {
      return [read(value)];
    } catch {
      return [];
    }
  });
}
