/** What a control plane sends to one node, byte for byte: a plain ADS client (state of the world) in the place of Envoy. */
import { create, fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { Client, credentials, type ClientDuplexStream } from "@grpc/grpc-js";
import { discoveryMethod } from "../../xds-proxy/src/demo/discovery-method.ts";
import {
  ClusterSchema,
  Cluster_DiscoveryType,
} from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  DiscoveryRequestSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
} from "../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { discoveredExtensions, discoveredRoutes } from "../../xds-proxy/src/guard/check.ts";
import { CLUSTER, ENDPOINTS, EXTENSION, LISTENER, ROUTES } from "../../xds-proxy/src/xds/type-url.ts";

const METHOD = discoveryMethod("/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources");
const TIMEOUT_MS = 20_000;

export interface CapturedNode {
  readonly id: string;
  readonly metadata: JsonObject;
}

export interface Captured {
  readonly listeners: readonly Uint8Array[];
  readonly clusters: readonly Uint8Array[];
  readonly endpoints: readonly Uint8Array[];
  readonly routes: readonly Uint8Array[];
  readonly extensions: readonly Uint8Array[];
}

/** @param port - of the control plane on 127.0.0.1, without TLS */
export async function capture(port: number, node: CapturedNode): Promise<Captured> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(METHOD.path, METHOD.requestSerialize, METHOD.responseDeserialize);
  const ask = asker(stream, node);
  try {
    const clusters = await ask(CLUSTER, []);
    const byEds = clusters.map((value) => fromBinary(ClusterSchema, value)).filter(isEds);
    const endpoints = await ask(
      ENDPOINTS,
      byEds.map(({ name, edsClusterConfig }) => edsClusterConfig?.serviceName ?? name),
    );
    const listeners = await ask(LISTENER, []);
    const routes = await ask(ROUTES, [...new Set(listeners.flatMap(discoveredRoutes))]);
    const extensions = await ask(EXTENSION, [...new Set(listeners.flatMap(discoveredExtensions))]);
    return { listeners, clusters, endpoints, routes, extensions };
  } finally {
    stream.cancel();
    client.close();
  }
}

function isEds({ clusterDiscoveryType }: ReturnType<typeof fromBinary<typeof ClusterSchema>>): boolean {
  return clusterDiscoveryType.case === "type" && clusterDiscoveryType.value === Cluster_DiscoveryType.EDS;
}

type Ask = (typeUrl: string, names: readonly string[]) => Promise<readonly Uint8Array[]>;

/** One question at a time; what is pushed beside the answer is left aside. */
function asker(stream: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>, { id, metadata }: CapturedNode): Ask {
  const waiting = new Map<string, (values: readonly Uint8Array[]) => void>();
  let fail: (error: Error) => void = () => undefined;
  stream.on("data", (response: DiscoveryResponse) => {
    const { typeUrl, resources, versionInfo, nonce } = response;
    stream.write(
      create(DiscoveryRequestSchema, {
        typeUrl,
        versionInfo,
        responseNonce: nonce,
        resourceNames: names.get(typeUrl) ?? [],
      }),
    );
    waiting.get(typeUrl)?.(resources.map(({ value }) => value));
  });
  stream.on("error", (error: Error) => {
    fail(error);
  });
  const names = new Map<string, string[]>();
  return async (typeUrl, resourceNames) => {
    const isAll = typeUrl === CLUSTER || typeUrl === LISTENER;
    if (!isAll && resourceNames.length === 0) return [];
    names.set(typeUrl, [...resourceNames]);
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no answer for ${typeUrl}`));
      }, TIMEOUT_MS);
      fail = reject;
      waiting.set(typeUrl, (values) => {
        clearTimeout(timer);
        resolve(values);
      });
      stream.write(
        create(DiscoveryRequestSchema, { typeUrl, resourceNames: [...resourceNames], node: { id, metadata } }),
      );
    });
  };
}
