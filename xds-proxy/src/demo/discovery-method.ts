/** A streaming method of xDS, state of the world: requests one way, responses the other, whichever service it belongs to. */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";

/** @param path - such as `/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources` */
export function discoveryMethod(path: string): MethodDefinition<DiscoveryRequest, DiscoveryResponse> {
  return {
    ...{ path, requestStream: true, responseStream: true },
    requestDeserialize: (bytes) => fromBinary(DiscoveryRequestSchema, bytes),
    requestSerialize: (value) => Buffer.from(toBinary(DiscoveryRequestSchema, value)),
    responseDeserialize: (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
    responseSerialize: (value) => Buffer.from(toBinary(DiscoveryResponseSchema, value)),
  };
}
