/**
 * Clusters as istiod makes them for services of a mesh with automatic mutual TLS, about 3 kB each: endpoints from ADS, a
 * plaintext and a TLS transport socket, the service accounts behind the service, Istio's metadata.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ApiVersion } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/config_source_pb.js";
import { UpstreamTlsContextSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";

/** As many as make a cluster 3 kB; a service that several deployments stand behind has that many. */
const SERVICE_ACCOUNT_COUNT = 26;
const FROM_ADS = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads" as const, value: {} },
};

/** @param revision - of all of them: other content of the same size */
export function clusters(count: number, revision: number): readonly Resource[] {
  return Array.from({ length: count }, (_, i) => cluster(i, revision));
}

function cluster(number: number, revision: number): Resource {
  const service = `service-${String(number).padStart(5, "0")}`;
  const namespace = `team-${number % 20}`;
  const host = `${service}.${namespace}.svc.cluster.local`;
  const name = `outbound|8080||${host}`;
  const message = create(ClusterSchema, {
    ...{ name, lbPolicy: Cluster_LbPolicy.LEAST_REQUEST, connectTimeout: { seconds: 10n } },
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: { ...FROM_ADS, initialFetchTimeout: {} }, serviceName: name },
    circuitBreakers: { thresholds: [LIMITS] },
    commonLbConfig: {},
    typedExtensionProtocolOptions: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": HTTP_OPTIONS },
    metadata: {
      filterMetadata: {
        istio: {
          config: `/apis/networking.istio.io/v1/namespaces/${namespace}/destination-rule/${service}`,
          ...{ default_original_port: 8080, resource_version: String(1_000_000 + revision) },
          services: [{ host, name: service, namespace }],
        },
      },
    },
    transportSocketMatches: [
      {
        ...{ name: "tlsMode-istio", match: { tlsMode: "istio" } },
        transportSocket: socket("tls", anyPack(UpstreamTlsContextSchema, mutualTls(host, namespace))),
      },
      { name: "tlsMode-disabled", match: {}, transportSocket: socket("raw_buffer", RAW_BUFFER) },
    ],
  });
  return makeResource({ name, version: "", typeUrl: CLUSTER, value: toBinary(ClusterSchema, message) });
}

function mutualTls(host: string, namespace: string): ReturnType<typeof create<typeof UpstreamTlsContextSchema>> {
  const validation = {
    case: "combinedValidationContext" as const,
    value: {
      defaultValidationContext: {
        matchSubjectAltNames: Array.from({ length: SERVICE_ACCOUNT_COUNT }, (_, i) => ({
          matchPattern: {
            case: "exact" as const,
            value: `spiffe://cluster.local/ns/${namespace}/sa/${host.split(".")[0] ?? ""}-deployment-${i}`,
          },
        })),
      },
      validationContextSdsSecretConfig: { name: "ROOTCA", sdsConfig: FROM_ADS },
    },
  };
  return create(UpstreamTlsContextSchema, {
    sni: `outbound_.8080_._.${host}`,
    commonTlsContext: {
      alpnProtocols: ["istio-peer-exchange", "istio", "h2"],
      tlsCertificateSdsSecretConfigs: [{ name: "default", sdsConfig: FROM_ADS }],
      validationContextType: validation,
    },
  });
}

const MAX = 4_294_967_295;
const LIMITS = {
  maxConnections: MAX,
  maxPendingRequests: MAX,
  maxRequests: MAX,
  maxRetries: MAX,
  trackRemaining: true,
};
const HTTP_OPTIONS = anyPack(
  HttpProtocolOptionsSchema,
  create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "useDownstreamProtocolConfig",
      value: { http2ProtocolOptions: { maxConcurrentStreams: 1000 } },
    },
  }),
);
const RAW_BUFFER = {
  typeUrl: "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
  value: new Uint8Array(),
};

function socket(kind: string, config: { typeUrl: string; value: Uint8Array }) {
  return {
    name: `envoy.transport_sockets.${kind}`,
    configType: { case: "typedConfig" as const, value: { ...config } },
  };
}
