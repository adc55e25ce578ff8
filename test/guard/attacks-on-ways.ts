/** Attacks on the way to the application: weaker TLS, and ways past the filter. */
import { create } from "@bufbuild/protobuf";
import { BindConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/address_pb.js";
import { FilterChainMatchSchema } from "../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { toBinary } from "@bufbuild/protobuf";
import { Cluster_DiscoveryType } from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../../xds-proxy/src/gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import { DownstreamTlsContextSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { checkCluster, checkEndpoints, checkListener, checkRoutes } from "../../xds-proxy/src/guard/check.ts";
import { clusterView } from "../../xds-proxy/src/guard/cluster-view.ts";
import { any, edited, editCluster, editListener, firstAction } from "./edit.ts";
import { guardOf, KEPT } from "./guards.ts";

import {
  REDIRECT,
  STRICT,
  NONE,
  guards,
  type Attack,
  named,
  onListener,
  staticCluster,
  assignment,
  tcpListener,
  nothing,
} from "./attack.ts";

export const ON_WAYS: readonly Attack[] = [
  {
    what: "plain text where certificates are demanded",
    clause: "tls",
    findings: () => {
      const weaker = editListener(named(STRICT.listeners, "virtualInbound"), (listener) => {
        for (const chain of listener.filterChains) delete chain.transportSocket;
      });
      return checkListener(weaker, [KEPT["sidecar-strict"] ?? guardOf("team-b")], STRICT.view);
    },
  },
  {
    what: "clients without certificates",
    clause: "tls",
    findings: () => {
      const weaker = editListener(named(STRICT.listeners, "virtualInbound"), (listener) => {
        for (const { transportSocket } of listener.filterChains)
          if (transportSocket?.configType.case === "typedConfig")
            transportSocket.configType.value.value = edited(
              DownstreamTlsContextSchema,
              transportSocket.configType.value.value,
              (tls) => {
                tls.requireClientCertificate = false;
              },
            );
      });
      return checkListener(weaker, [KEPT["sidecar-strict"] ?? guardOf("team-b")], STRICT.view);
    },
  },
  {
    what: "another authority for client certificates",
    clause: "tls",
    findings: () => {
      const weaker = editListener(named(STRICT.listeners, "virtualInbound"), (listener) => {
        for (const { transportSocket } of listener.filterChains)
          if (transportSocket?.configType.case === "typedConfig")
            transportSocket.configType.value.value = edited(
              DownstreamTlsContextSchema,
              transportSocket.configType.value.value,
              (tls) => {
                const type = tls.commonTlsContext?.validationContextType;
                if (type?.case === "combinedValidationContext") {
                  const secret = type.value.validationContextSdsSecretConfig;
                  if (secret) secret.name = "kubernetes://mine-cacert";
                }
              },
            );
      });
      return checkListener(weaker, [KEPT["sidecar-strict"] ?? guardOf("team-b")], STRICT.view);
    },
  },
  {
    what: "another listener for the application",
    clause: "exposure",
    findings: () => checkListener(tcpListener(nothing, "inbound|8080||"), guards, REDIRECT.view),
  },
  {
    what: "another cluster for the application",
    clause: "exposure",
    findings: () => checkCluster(staticCluster("other", "127.0.0.1", 8080), guards, REDIRECT.view),
  },
  {
    what: "another cluster for it, in IPv6",
    clause: "exposure",
    findings: () => checkCluster(staticCluster("other", "::ffff:127.0.0.1", 8080), guards, REDIRECT.view),
  },
  {
    what: "another cluster for the application of a Sidecar resource",
    clause: "exposure",
    findings: () =>
      checkCluster(staticCluster("other", "127.1.2.3", 18_080), [KEPT["sidecar-none"] ?? guardOf("team-c")], NONE.view),
  },
  {
    what: "a cluster past the interception",
    clause: "exposure",
    findings: () => {
      const forged = editCluster(staticCluster("other", "10.1.0.5", 8080), (cluster) => {
        const sourceAddress = { address: "127.0.0.6" };
        cluster.upstreamBindConfig = create(BindConfigSchema, { sourceAddress });
      });
      return checkCluster(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "a cluster whose destination a header says",
    clause: "exposure",
    findings: () => {
      const forged = editCluster(staticCluster("other", "10.1.0.5", 1), (cluster) => {
        cluster.clusterDiscoveryType = { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST };
        delete cluster.loadAssignment;
        cluster.lbConfig = {
          case: "originalDstLbConfig",
          value: {
            $typeName: "envoy.config.cluster.v3.Cluster.OriginalDstLbConfig",
            useHttpHeader: true,
            httpHeaderName: "x",
          },
        };
      });
      return checkCluster(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "an endpoint of another Service",
    clause: "exposure",
    findings: () =>
      checkEndpoints(
        toBinary(ClusterLoadAssignmentSchema, assignment("outbound|80||peer.other.example", "127.0.0.1", 8080)),
        guards,
        REDIRECT.view,
      ),
  },
  {
    what: "a route of another listener to it",
    clause: "exposure",
    findings: () => {
      const [value = new Uint8Array()] = REDIRECT.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        firstAction(routes).clusterSpecifier = { case: "cluster", value: "inbound|8080||" };
      });
      return checkRoutes(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "a route whose cluster the client says",
    clause: "exposure",
    findings: () => {
      const [value = new Uint8Array()] = REDIRECT.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        firstAction(routes).clusterSpecifier = { case: "clusterHeader", value: "x-cluster" };
      });
      return checkRoutes(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "the PROXY protocol before an original destination",
    clause: "exposure",
    findings: () =>
      checkListener(
        tcpListener((listener) => {
          listener.listenerFilters = [
            {
              $typeName: "envoy.config.listener.v3.ListenerFilter",
              name: "proxy",
              configType: {
                case: "typedConfig",
                value: any("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"),
              },
            },
          ];
          for (const chain of listener.filterChains)
            chain.filterChainMatch = create(FilterChainMatchSchema, { destinationPort: 1 });
        }, "InboundPassthroughCluster"),
        guards,
        REDIRECT.view,
      ),
  },
  {
    what: "a name that leads to this machine",
    clause: "exposure",
    findings: () => {
      const dns = editCluster(staticCluster("dns", "mine.example.com", 8080), (cluster) => {
        cluster.clusterDiscoveryType = { case: "type", value: Cluster_DiscoveryType.STRICT_DNS };
      });
      const view = clusterView([...REDIRECT.clusters, dns], REDIRECT.endpoints);
      return checkListener(tcpListener(nothing, "dns"), guards, view);
    },
  },
  onListener("connections handed on to listeners of the workload's own", "exposure", (listener) => {
    listener.useOriginalDst = true;
  }),
];
