/**
 * A grpc-js call, of either side, as an AdsStream: back-pressure both ways. grpc-js by itself reads sixteen messages ahead and
 * takes as many to write, whatever their size; here it is one, and a bound in bytes.
 */
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { UpstreamError } from "../errors.ts";
import type { Protocol } from "../xds/type-url.ts";
import type { AdsStream, Message, StreamFailure } from "./ads-stream.ts";
import { notePassed } from "./buffer-collection.ts";
import { lengthOf, type Parts } from "./frames.ts";
import { Inbox } from "./inbox.ts";

/** What the peer may be behind before a write has to wait. */
const UNSENT_MAX_BYTES = 256 * 1024;

/** Of a Duplex in object mode, what is used. */
interface MessageDuplex {
  on(event: string, listener: (...args: never[]) => void): unknown;
  write(message: Parts, done: () => void): boolean;
  _read(size: number): void;
}

export interface GrpcCall {
  readonly duplex: MessageDuplex;
  readonly protocol: Protocol;
  /** Half-closes or ends the call after what was written; with a failure as the side of the call does it. */
  readonly finish: (failure: StreamFailure | undefined) => void;
  /** Of the peer, for messages. */
  readonly name: string;
}

export class GrpcStream implements AdsStream {
  readonly protocol: Protocol;
  readonly ended: Promise<void>;
  readonly #call: GrpcCall;
  readonly #inbox: Inbox;
  #unsentBytes = 0;
  #waiting: Waiting | undefined;
  #finishing = false;
  #over = false;
  #settleEnded: () => void = () => undefined;

  constructor(call: GrpcCall) {
    this.#call = call;
    this.protocol = call.protocol;
    this.ended = new Promise((resolve) => (this.#settleEnded = resolve));
    const { duplex } = call;
    const readOne = oneAtATime(duplex);
    this.#inbox = new Inbox(readOne);
    duplex.on("data", (message: Uint8Array) => {
      this.#inbox.put(message);
    });
    duplex.on("end", () => {
      this.#inbox.close();
    });
  }

  get messages(): AsyncIterable<Uint8Array> {
    return this.#inbox;
  }

  /** Whether somebody here has called `end`. */
  get finishing(): boolean {
    return this.#finishing;
  }

  write(message: Message): Promise<void> | undefined {
    if (this.#over || this.#finishing) return undefined;
    const parts = message instanceof Uint8Array ? [message] : message;
    const lengthBytes = lengthOf(parts);
    this.#unsentBytes += lengthBytes;
    notePassed(lengthBytes);
    this.#call.duplex.write(parts, () => {
      this.#unsentBytes -= lengthBytes;
      if (this.#unsentBytes <= UNSENT_MAX_BYTES) this.#release();
    });
    if (this.#unsentBytes <= UNSENT_MAX_BYTES) return undefined;
    this.#waiting ??= newWaiting();
    return this.#waiting.promise;
  }

  end(failure?: StreamFailure): void {
    if (this.#over || this.#finishing) return;
    this.#finishing = true;
    this.#call.finish(failure);
  }

  /** The stream is over; the first reason counts. Without one the peer has ended it in order. */
  over(reason?: UpstreamError): void {
    if (this.#over) return;
    this.#over = true;
    this.#inbox.close(reason);
    const { name } = this.#call;
    this.#waiting?.reject(reason ?? new UpstreamError("UNAVAILABLE", `the stream with ${name} has ended`));
    this.#waiting = undefined;
    this.#settleEnded();
  }

  #release(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: UpstreamError) => void;
}

function newWaiting(): Waiting {
  let settle: Pick<Waiting, "resolve" | "reject"> = { resolve: () => undefined, reject: () => undefined };
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  // A writer that does not wait must not end the process.
  promise.catch(() => undefined);
  return { promise, ...settle };
}

/** Holds the stream to one message ahead of its reader, whatever its high-water mark.
 *  @returns asks for the next message */
function oneAtATime(duplex: MessageDuplex): () => void {
  const read = duplex._read.bind(duplex);
  let allowedCount = 1;
  let wanted = false;
  duplex._read = (size) => {
    if (allowedCount === 0) {
      wanted = true;
      return;
    }
    allowedCount--;
    read(size);
  };
  return () => {
    if (!wanted) {
      allowedCount++;
      return;
    }
    wanted = false;
    read(1);
  };
}

/** grpc-js writes to stderr what it also tells us; the log is where that belongs. */
export function quietGrpc(): void {
  setLogVerbosity(logVerbosity.NONE);
}
