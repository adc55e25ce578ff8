/** The resource types of xDS v3 that the proxy knows more of than their bytes, in the order in which ADS sends them. */

/** State of the world, or by increments; a stream speaks one of them from its first message to its last. */
export type Protocol = "sotw" | "delta";

const PREFIX = "type.googleapis.com/";

export const LISTENER: string = `${PREFIX}envoy.config.listener.v3.Listener`;
export const CLUSTER: string = `${PREFIX}envoy.config.cluster.v3.Cluster`;
export const ENDPOINTS: string = `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`;
export const ROUTES: string = `${PREFIX}envoy.config.route.v3.RouteConfiguration`;
export const EXTENSION: string = `${PREFIX}envoy.config.core.v3.TypedExtensionConfig`;

export interface TypeRow {
  /** As Envoy's statistics and people call it. */
  readonly short: string;
  /** The field of the resource that holds its name (field numbers of Envoy's protos). */
  readonly nameField: number;
  /** Whether a state-of-the-world response is all there is: what it leaves out is deleted. */
  readonly fullState: boolean;
}

/** Make before break: clusters, then what they need, then listeners, then what those need (xDS protocol, "Eventual consistency considerations"). */
export const TYPES: ReadonlyMap<string, TypeRow> = new Map([
  [CLUSTER, { short: "CDS", nameField: 1, fullState: true }],
  [ENDPOINTS, { short: "EDS", nameField: 1, fullState: false }],
  [LISTENER, { short: "LDS", nameField: 1, fullState: true }],
  [ROUTES, { short: "RDS", nameField: 1, fullState: false }],
  [`${PREFIX}envoy.config.route.v3.ScopedRouteConfiguration`, { short: "SRDS", nameField: 1, fullState: true }],
  [`${PREFIX}envoy.config.route.v3.VirtualHost`, { short: "VHDS", nameField: 1, fullState: false }],
  [`${PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret`, { short: "SDS", nameField: 1, fullState: false }],
  [`${PREFIX}envoy.service.runtime.v3.Runtime`, { short: "RTDS", nameField: 1, fullState: false }],
  [EXTENSION, { short: "ECDS", nameField: 1, fullState: false }],
]);

/** `LDS`; the whole type URL where it is none of the table. */
export function shortName(typeUrl: string): string {
  return TYPES.get(typeUrl)?.short ?? typeUrl;
}
