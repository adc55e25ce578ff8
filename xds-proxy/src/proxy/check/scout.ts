/**
 * Asks istiod for the owners' statements before anything is believed: they travel in extension configurations, which Envoy
 * asks for only after it has the listeners that are to be judged by them. A stream of its own, closed after the first answer.
 */
import { WpgateError } from "../../errors.ts";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { discoveredExtensions } from "../../guard/check.ts";
import { readConfiguration } from "../../owner/bundle.ts";
import { NO_REQUEST, writeRequest } from "../../xds/request.ts";
import type { Resource } from "../../xds/resource.ts";
import { readResponse } from "../../xds/response.ts";
import { EXTENSION, type Protocol } from "../../xds/type-url.ts";
import type { ConnectUpstream } from "../../grpc/ads-stream.ts";
import type { Trust } from "./trust.ts";
import { readWasmExtension, statementsIn } from "./wasm-extension.ts";

export interface ScoutOptions {
  readonly connect: ConnectUpstream;
  readonly protocol: Protocol;
  readonly said: Node;
  /** Those that are about to be judged: they name the extension configurations. */
  readonly listeners: readonly Resource[];
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

const PATIENCE_MS = 5_000;

/** Returns when the first answer was read, or nothing came; what was learned is in `trust`. Never rejects. */
export async function scoutStatements({
  connect,
  protocol,
  said,
  listeners,
  trust,
  signal,
}: ScoutOptions): Promise<void> {
  const names = [...new Set(listeners.flatMap(({ value }) => discoveredExtensions(value)))];
  if (names.length === 0) return;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const stream = await connect({ protocol, metadata: {}, signal: patience });
    const stop = (): void => {
      stream.end({ grpcStatus: "UNAVAILABLE", message: "nothing more is wanted" });
    };
    patience.addEventListener("abort", stop, { once: true });
    const request = { ...NO_REQUEST, typeUrl: EXTENSION, node: said, names, subscribe: names };
    await stream.write(writeRequest(request, protocol));
    for await (const message of stream.messages) {
      const { typeUrl, resources } = readResponse(message, protocol);
      if (typeUrl !== EXTENSION) continue;
      for (const { value } of resources) learn(value, trust);
      break;
    }
    patience.removeEventListener("abort", stop);
    stop();
  } catch (error) {
    // Nothing learned: the listeners will be judged without.
    if (!(error instanceof WpgateError)) throw error;
  }
}

function learn(value: Uint8Array, trust: Trust): void {
  const text = readWasmExtension(value)?.configuration;
  const statements = text === undefined ? undefined : statementsIn(text);
  if (text !== undefined && statements) trust.consider(text, readConfiguration(statements, "configuration").sets);
}
