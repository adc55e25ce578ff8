/** A service as gRPC's own xDS clients want to hear of it: listener, routes, cluster, endpoints (gRFC A27), all over ADS. */
import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ApiVersion } from "../../../xds-proxy/src/gen/proto/envoy/config/core/v3/config_source_pb.js";
import { ClusterLoadAssignmentSchema } from "../../../xds-proxy/src/gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "../../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "../../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { makeResource, type Resource } from "../../../xds-proxy/src/xds/resource.ts";
import { CLUSTER, ENDPOINTS, LISTENER, ROUTES } from "../../../xds-proxy/src/xds/type-url.ts";

/** What a client dials as `xds:///`; named as istiod names a service's listener. */
export const SERVICE = "shop.team-a.svc.cluster.local:7070";
const ROUTE_NAME = "shop.team-a";
const CLUSTER_NAME = "outbound|7070||shop.team-a.svc.cluster.local";
const FROM_ADS = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads" as const, value: {} },
};

export function listener(): Resource {
  const manager = create(HttpConnectionManagerSchema, {
    routeSpecifier: { case: "rds", value: { routeConfigName: ROUTE_NAME, configSource: FROM_ADS } },
    httpFilters: [
      {
        name: "router",
        configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
      },
    ],
  });
  return resource(LISTENER, SERVICE, ListenerSchema, {
    name: SERVICE,
    apiListener: { apiListener: anyPack(HttpConnectionManagerSchema, manager) },
  });
}

export function routes(): Resource {
  return resource(ROUTES, ROUTE_NAME, RouteConfigurationSchema, {
    name: ROUTE_NAME,
    virtualHosts: [
      {
        name: ROUTE_NAME,
        domains: [SERVICE],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "" } },
            action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: CLUSTER_NAME } } },
          },
        ],
      },
    ],
  });
}

/** @param lbPolicy - one that gRPC does not have makes it refuse the cluster */
export function cluster(lbPolicy: Cluster_LbPolicy = Cluster_LbPolicy.ROUND_ROBIN): Resource {
  return resource(CLUSTER, CLUSTER_NAME, ClusterSchema, {
    name: CLUSTER_NAME,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: FROM_ADS },
    lbPolicy,
  });
}

/** @param ports - on 127.0.0.1, one endpoint each */
export function endpoints(ports: readonly number[]): Resource {
  return resource(ENDPOINTS, CLUSTER_NAME, ClusterLoadAssignmentSchema, {
    clusterName: CLUSTER_NAME,
    endpoints: [
      {
        locality: { region: "here" },
        loadBalancingWeight: 1,
        lbEndpoints: ports.map((port) => ({
          hostIdentifier: {
            case: "endpoint" as const,
            value: {
              address: {
                address: {
                  case: "socketAddress" as const,
                  value: { address: "127.0.0.1", portSpecifier: { case: "portValue" as const, value: port } },
                },
              },
            },
          },
        })),
      },
    ],
  });
}

function resource<Schema extends DescMessage>(
  typeUrl: string,
  name: string,
  schema: Schema,
  content: MessageInitShape<Schema>,
): Resource {
  return makeResource({ name, version: "", typeUrl, value: toBinary(schema, create(schema, content)) });
}
