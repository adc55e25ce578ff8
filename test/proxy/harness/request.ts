/** Requests of both protocols in one form: what an origin records, and what a client sends. */
import { create, fromBinary, toBinary, type JsonObject } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Protocol } from "../../../xds-proxy/src/xds/type-url.ts";

export interface Node {
  readonly id: string;
  readonly cluster?: string;
  readonly metadata?: JsonObject | undefined;
}

export interface Request {
  readonly typeUrl: string;
  /** Empty where the request does not repeat it. */
  readonly nodeId: string;
  readonly node?: Node | undefined;
  /** `response_nonce`; empty in the first request for a type. */
  readonly nonce: string;
  /** Of state of the world: the version that is in force. */
  readonly version: string;
  /** `resource_names`, or `resource_names_subscribe` of delta. */
  readonly names: readonly string[];
  /** Of delta. */
  readonly unsubscribed: readonly string[];
  /** Of delta: what a client that reconnects still has. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Absent in an ACK and in a subscription. */
  readonly error?: string | undefined;
}

/** INVALID_ARGUMENT, with which Envoy rejects. */
const REJECTED = 3;

export function readRequest(raw: Uint8Array, protocol: Protocol): Request {
  if (protocol === "sotw") {
    const { typeUrl, node, responseNonce, versionInfo, resourceNames, errorDetail } = fromBinary(
      DiscoveryRequestSchema,
      raw,
    );
    return {
      ...{ typeUrl, nodeId: node?.id ?? "", nonce: responseNonce, version: versionInfo, names: resourceNames },
      ...{ unsubscribed: [], initialVersions: new Map(), node, error: errorDetail?.message },
    };
  }
  const request = fromBinary(DeltaDiscoveryRequestSchema, raw);
  return {
    ...{ typeUrl: request.typeUrl, nodeId: request.node?.id ?? "", nonce: request.responseNonce, version: "" },
    ...{ names: request.resourceNamesSubscribe, unsubscribed: request.resourceNamesUnsubscribe, node: request.node },
    initialVersions: new Map(Object.entries(request.initialResourceVersions)),
    error: request.errorDetail?.message,
  };
}

export function writeRequest(request: Partial<Request> & { readonly typeUrl: string }, protocol: Protocol): Uint8Array {
  const { typeUrl, node, nonce, version, names, unsubscribed, initialVersions, error } = request;
  const common = {
    ...{ typeUrl, responseNonce: nonce ?? "" },
    ...(node && { node: { id: node.id, cluster: node.cluster ?? "", metadata: node.metadata ?? {} } }),
    ...(error !== undefined && { errorDetail: { code: REJECTED, message: error } }),
  };
  if (protocol === "sotw")
    return toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { ...common, versionInfo: version ?? "", resourceNames: [...(names ?? [])] }),
    );
  return toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, {
      ...common,
      resourceNamesSubscribe: [...(names ?? [])],
      resourceNamesUnsubscribe: [...(unsubscribed ?? [])],
      initialResourceVersions: Object.fromEntries(initialVersions ?? []),
    }),
  );
}
