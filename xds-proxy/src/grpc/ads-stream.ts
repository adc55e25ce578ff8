/**
 * What the proxy moves: one bidirectional ADS stream (xDS v3, aggregated) with its messages as bytes, on either side of it.
 * Nothing here decodes a message, and nothing holds more of them than the one that is on its way in.
 */
import { ERROR_TABLE, InternalError, WpgateError } from "../errors.ts";
import type { Protocol } from "../xds/type-url.ts";

/** The statuses that the proxy ends streams with (gRPC, "Status codes and their use in gRPC"). */
export type GrpcStatus =
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "UNAUTHENTICATED";

export interface StreamFailure {
  readonly grpcStatus: GrpcStatus;
  /** Reaches the peer: a fixed sentence, never a cause. */
  readonly message: string;
}

/** The bytes of a message, also in pieces that follow each other. */
export type Message = Uint8Array | readonly Uint8Array[];

export interface AdsStream {
  readonly protocol: Protocol;
  /** Whoever does not ask for the next message holds the peer back. Ends when the peer has closed its half, which some
   *  do before they cancel; to be iterated once. Throws UpstreamError when the stream breaks; messages that came before it
   *  are delivered first. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Sends in order, whether or not the last promise is settled; `message` must not change afterwards.
   *  @returns undefined while the peer keeps up, otherwise a promise that resolves when it does again and rejects with
   *  UpstreamError when the stream has ended. After the end nothing is sent and nothing thrown. */
  write(message: Message): Promise<void> | undefined;
  /** What was written is still sent. On the server's side the status goes to the peer, OK when absent; on the client's side
   *  the half is closed, or with a failure the call is cancelled. */
  end(failure?: StreamFailure): void;
  /** Resolves when the stream is over, for whatever reason; never rejects. */
  readonly ended: Promise<void>;
}

/** Who has opened a stream, as the transport and the metadata say; `spiffeIds` alone are authenticated. */
export interface Peer {
  /** `10.0.0.7:41234`, or `unix:PATH` of the socket that it came through. */
  readonly address: string;
  /** URI SANs of a client certificate that was verified with `clientCa`. */
  readonly spiffeIds: readonly string[];
  /** The token of `authorization: Bearer …`. */
  readonly bearer?: string;
  /** Metadata `wpgate-sid`. */
  readonly session?: string;
}

/** The server's side. */
export interface NodeStream extends AdsStream {
  readonly peer: Peer;
}

export interface ConnectOptions {
  readonly protocol: Protocol;
  /** Added to what the configuration gives; one of the same name wins. Values are ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The client's side; the token file is read again on each call.
 *  @returns a stream on a connection that is established.
 *  Rejects with UpstreamError: `UNAVAILABLE`, `TIMEOUT`, `PROTOCOL`; `LOGIN` when the token file cannot be read. */
export type ConnectUpstream = (options: ConnectOptions) => Promise<AdsStream>;

/** gRPC metadata that carries the session nonce of signed pushes. */
export const SESSION_METADATA = "wpgate-sid";

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

export const METHOD_PATHS: Readonly<Record<Protocol, string>> = {
  sotw: `${SERVICE}/StreamAggregatedResources`,
  delta: `${SERVICE}/DeltaAggregatedResources`,
};

/** How an error is shown to a peer: its class decides the status, and its message is ours. */
export function failureOf(thrown: unknown): StreamFailure {
  const error = thrown instanceof WpgateError ? thrown : new InternalError("a bug of wpgate proxy", { cause: thrown });
  return { grpcStatus: ERROR_TABLE[error.name].grpcStatus as GrpcStatus, message: error.message };
}
