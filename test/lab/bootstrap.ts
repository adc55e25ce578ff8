/** The bootstrap of the lab's Envoys: like istio-agent's, without what its images add. */
export interface BootstrapOptions {
  readonly kind: "sidecar" | "gateway";
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The workload's own address, one of 127.0.0.0/8. */
  readonly address: string;
  /** Incremental (delta) xDS instead of the state of the world. */
  readonly delta?: boolean;
  /** istiod, or whatever stands before it: a TCP port on 127.0.0.1, or the path of a socket. */
  readonly ads: number | string;
  /** Clusters beside the one of the control plane. */
  readonly clusters?: readonly unknown[];
}

export function bootstrap(options: BootstrapOptions): unknown {
  const { kind, namespace, name, labels, address, delta = false, ads, clusters = [] } = options;
  const type = kind === "gateway" ? "router" : "sidecar";
  const fromAds = { ads: {}, initial_fetch_timeout: "5s", resource_api_version: "V3" };
  return {
    node: {
      id: `${type}~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${name}.${namespace}`,
      metadata: {
        ...{ NAMESPACE: namespace, LABELS: labels, CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.32.0" },
        // No iptables here: listeners are bound where the Sidecar resource says.
        ...(kind === "sidecar" && { INTERCEPTION_MODE: "NONE" }),
      },
    },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      cds_config: fromAds,
      lds_config: fromAds,
      ads_config: {
        api_type: delta ? "DELTA_GRPC" : "GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
    },
    static_resources: { clusters: [grpcCluster("xds-grpc", ads), ...clusters] },
  };
}

/** A static cluster that speaks HTTP/2 with one endpoint. */
export function grpcCluster(name: string, endpoint: number | string): unknown {
  const address =
    typeof endpoint === "number"
      ? { socket_address: { address: "127.0.0.1", port_value: endpoint } }
      : { pipe: { path: endpoint } };
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}
