/** The two methods of the aggregated discovery service, with messages that stay bytes: a test may send what no encoder writes. */
import type { MethodDefinition } from "@grpc/grpc-js";
import type { Protocol } from "../../../xds-proxy/src/xds/type-url.ts";

type RawMethod = MethodDefinition<Uint8Array, Uint8Array>;

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

export const ADS_PATHS: Readonly<Record<Protocol, string>> = {
  sotw: `${SERVICE}/StreamAggregatedResources`,
  delta: `${SERVICE}/DeltaAggregatedResources`,
};

export const ADS_METHODS: Readonly<Record<Protocol, RawMethod>> = {
  sotw: rawMethod(ADS_PATHS.sotw),
  delta: rawMethod(ADS_PATHS.delta),
};

/** Any size that a test wants to send or get. */
export const UNLIMITED_MESSAGES = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
} as const;

function rawMethod(path: string): RawMethod {
  const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    ...{ path, requestStream: true, responseStream: true },
    requestSerialize: asBuffer,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: asBuffer,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
}
