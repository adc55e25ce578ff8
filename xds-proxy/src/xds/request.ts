/** Requests of both protocols (envoy.service.discovery.v3): subscriptions, and answers to responses. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ParseError } from "../errors.ts";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Protocol } from "./type-url.ts";

/** Members that belong to the other protocol are empty. */
export interface Request {
  readonly typeUrl: string;
  /** Of the response that this answers; empty where it answers none. */
  readonly nonce: string;
  /** Why the response was refused; absent in an ACK. */
  readonly error?: string;
  /** State of the world: the version that is in force, and every name that is wanted. */
  readonly version: string;
  readonly names: readonly string[];
  /** Delta: what changes about what is wanted, and what the client has already. */
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: Readonly<Record<string, string>>;
}

export interface ReadRequest extends Request {
  /** Who asks; clients say it in the first message of a stream. */
  readonly node?: Node;
}

export const NO_REQUEST: Omit<Request, "typeUrl"> = {
  ...{ nonce: "", version: "", names: [], subscribe: [], unsubscribe: [], initialVersions: {} },
};

/** `google.rpc.Code` INVALID_ARGUMENT: what xDS clients say with a NACK. */
const INVALID_ARGUMENT = 3;

/** @throws ParseError PROTOBUF */
export function readRequest(bytes: Uint8Array, protocol: Protocol): ReadRequest {
  try {
    return protocol === "sotw" ? readSotw(bytes) : readDelta(bytes);
  } catch (cause) {
    throw new ParseError("PROTOBUF", "not a discovery request", { cause });
  }
}

export function writeRequest(request: ReadRequest, protocol: Protocol): Uint8Array {
  const { typeUrl, nonce, error, node } = request;
  const common = {
    ...{ typeUrl, responseNonce: nonce },
    ...(node && { node }),
    ...(error !== undefined && { errorDetail: { code: INVALID_ARGUMENT, message: error } }),
  };
  if (protocol === "sotw") {
    const { version: versionInfo, names } = request;
    return toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { ...common, versionInfo, resourceNames: [...names] }),
    );
  }
  const { subscribe, unsubscribe, initialVersions } = request;
  return toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, {
      ...common,
      resourceNamesSubscribe: [...subscribe],
      resourceNamesUnsubscribe: [...unsubscribe],
      initialResourceVersions: { ...initialVersions },
    }),
  );
}

function readSotw(bytes: Uint8Array): ReadRequest {
  const message = fromBinary(DiscoveryRequestSchema, bytes);
  const { node, typeUrl, responseNonce: nonce, versionInfo: version, resourceNames: names, errorDetail } = message;
  return { ...NO_REQUEST, typeUrl, nonce, version, names, ...(node && { node }), ...errorOf(errorDetail) };
}

function readDelta(bytes: Uint8Array): ReadRequest {
  const message = fromBinary(DeltaDiscoveryRequestSchema, bytes);
  const { node, typeUrl, responseNonce: nonce, errorDetail, initialResourceVersions: initialVersions } = message;
  return {
    ...NO_REQUEST,
    ...{ typeUrl, nonce, initialVersions },
    subscribe: message.resourceNamesSubscribe,
    unsubscribe: message.resourceNamesUnsubscribe,
    ...(node && { node }),
    ...errorOf(errorDetail),
  };
}

function errorOf(detail: { readonly message: string } | undefined): { readonly error?: string } {
  return detail ? { error: detail.message === "" ? "no reason given" : detail.message } : {};
}
