/** The first message of a node's stream, which says who it is; the others stay where they are. */
import { ParseError, UpstreamError } from "../errors.ts";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { readRequest } from "../xds/request.ts";
import type { NodeStream } from "../grpc/ads-stream.ts";

export interface OpenedStream {
  readonly first: Uint8Array;
  readonly said: Node;
  /** The same stream, from the second message on. */
  readonly stream: NodeStream;
}

const PATIENCE_MS = 10_000;

/** @returns undefined when the stream ends without a message.
 *  Rejects with ParseError PROTOBUF, UpstreamError TIMEOUT, PROTOCOL. */
export async function readFirstRequest(stream: NodeStream): Promise<OpenedStream | undefined> {
  const messages = stream.messages[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new UpstreamError("TIMEOUT", "the node has opened a stream and asks for nothing"));
    }, PATIENCE_MS);
  });
  try {
    const next = await Promise.race([messages.next(), late]);
    if (next.done === true) return undefined;
    const { node } = readRequest(next.value, stream.protocol);
    if (node === undefined) throw new ParseError("PROTOBUF", "the first request does not name a node");
    return { first: next.value, said: node, stream: rest(stream, messages) };
  } finally {
    clearTimeout(timer);
  }
}

function rest(stream: NodeStream, messages: AsyncIterator<Uint8Array>): NodeStream {
  return {
    ...{ protocol: stream.protocol, peer: stream.peer, ended: stream.ended },
    messages: { [Symbol.asyncIterator]: () => messages },
    write: (message) => stream.write(message),
    end: (failure) => {
      stream.end(failure);
    },
  };
}
