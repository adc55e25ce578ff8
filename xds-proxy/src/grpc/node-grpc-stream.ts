/** A stream that a node has opened, and who that node is as far as its connection says. */
import { status, type ServerDuplexStream } from "@grpc/grpc-js";
import { formatAddress, type Address } from "../config/addresses.ts";
import { UpstreamError } from "../errors.ts";
import { uriNamesOf } from "../identity/spiffe.ts";
import type { Protocol } from "../xds/type-url.ts";
import { SESSION_METADATA, type NodeStream, type Peer } from "./ads-stream.ts";
import type { Parts } from "./frames.ts";
import { GrpcStream } from "./grpc-stream.ts";

type Call = ServerDuplexStream<Uint8Array, Parts>;

export class NodeGrpcStream extends GrpcStream implements NodeStream {
  readonly peer: Peer;

  /** @param listening - the address that the stream came through */
  constructor(call: Call, protocol: Protocol, listening: Address) {
    const peer = peerOf(call, listening);
    super({
      ...{ duplex: call, protocol, name: peer.address },
      finish: (failure) => {
        if (failure === undefined) call.end();
        // grpc-js makes the status of this, and sends it after what was written.
        else call.emit("error", { code: status[failure.grpcStatus], details: failure.message });
      },
    });
    this.peer = peer;
    const over = (): void => {
      this.over(
        this.finishing
          ? undefined
          : new UpstreamError("UNAVAILABLE", `the node at ${peer.address} has gone, or sent what is no gRPC`),
      );
    };
    // grpc-js calls every end so, also the one in order.
    call.on("cancelled", over);
    call.on("close", over);
  }
}

function peerOf(call: Call, listening: Address): Peer {
  const { sslPeerCertificate } = call.getAuthContext();
  const [authorization] = call.metadata.get("authorization");
  const [session] = call.metadata.get(SESSION_METADATA);
  const bearer = typeof authorization === "string" ? /^bearer +(\S+)$/i.exec(authorization)?.[1] : undefined;
  return {
    address: listening.kind === "unix" ? formatAddress(listening) : call.getPeer(),
    spiffeIds:
      sslPeerCertificate === undefined ? [] : uriNamesOf({ subjectAltName: sslPeerCertificate.subjectaltname }),
    ...(bearer !== undefined && { bearer }),
    ...(typeof session === "string" && { session }),
  };
}
