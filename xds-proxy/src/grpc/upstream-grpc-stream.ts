/** A stream that we have opened, and what it says when it breaks. */
import { status, type ClientDuplexStream, type Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import { UpstreamError, type UpstreamErrorCode } from "../errors.ts";
import type { Protocol } from "../xds/type-url.ts";
import type { Parts } from "./frames.ts";
import { GrpcStream } from "./grpc-stream.ts";

type Call = ClientDuplexStream<Parts, Buffer>;

/** How long the server has to answer a half-close. */
const FINISH_MAX_MS = 5_000;
/** The server's words are not ours. */
const DETAILS_MAX_LENGTH = 300;

export class UpstreamGrpcStream extends GrpcStream {
  readonly #call: Call;
  readonly #name: string;

  /** @param name - of the upstream, for messages */
  constructor(call: Call, protocol: Protocol, name: string) {
    super({
      ...{ duplex: call, protocol, name },
      finish: (failure) => {
        if (failure === undefined) finish(call, this.ended);
        else call.cancel();
      },
    });
    this.#call = call;
    this.#name = name;
    call.on("metadata", (metadata) => {
      this.#checkHeaders(metadata);
    });
    call.on("error", (error) => {
      this.over(this.finishing ? undefined : upstreamError(error as ServiceError, name));
    });
    call.on("status", ({ code }: StatusObject) => {
      if (code === status.OK) this.over();
    });
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** grpc-js reads whatever comes as frames. */
  #checkHeaders(metadata: Metadata): void {
    const [contentType = ""] = metadata.get("content-type");
    if (String(contentType).startsWith("application/grpc")) return;
    this.over(new UpstreamError("PROTOCOL", `${this.#name} answers with something else than gRPC`));
    this.#call.cancel();
  }
}

function finish(call: Call, ended: Promise<void>): void {
  call.end();
  const timer = setTimeout(() => {
    call.cancel();
  }, FINISH_MAX_MS);
  timer.unref();
  void ended.then(() => {
    clearTimeout(timer);
  });
}

/** By gRPC status; the others are PROTOCOL. */
const CODES: ReadonlyMap<number, readonly [UpstreamErrorCode, string]> = new Map([
  [status.UNAVAILABLE, ["UNAVAILABLE", "cannot be reached, or has closed the connection"]],
  [status.CANCELLED, ["UNAVAILABLE", "has cancelled the stream"]],
  [status.DEADLINE_EXCEEDED, ["TIMEOUT", "did not answer in time"]],
  [status.UNAUTHENTICATED, ["LOGIN", "does not accept who we are: token or certificate"]],
  [status.PERMISSION_DENIED, ["FORBIDDEN", "does not allow this stream"]],
  [status.UNIMPLEMENTED, ["NOT_SERVED", "does not serve ADS of this protocol"]],
  [status.RESOURCE_EXHAUSTED, ["EXHAUSTED", "has reached a limit: messages that are too large, or too many streams"]],
]);

/** @param name - of the upstream */
export function upstreamError(error: ServiceError, name: string): UpstreamError {
  const [code, what] = CODES.get(error.code) ?? ["PROTOCOL", "has ended the stream against the protocol"];
  const said = saidBy(error);
  return new UpstreamError(code, `${name} ${what}${said === "" ? "" : ` (${said})`}`, { cause: error });
}

/** grpc-js wraps what has happened to the socket, and says when. */
function saidBy({ details }: ServiceError): string {
  const text = typeof details === "string" ? details : "";
  return text
    .replace(/^No connection established\. Last error: /, "")
    .replace(/^Error(?: \[\w+\])?: /, "")
    .replace(/(?: \(\d{4}-[\dT:.Z-]+\))?\. Resolution note: .*$/s, "")
    .slice(0, DETAILS_MAX_LENGTH);
}
