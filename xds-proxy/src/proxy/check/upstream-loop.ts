/**
 * The upstream half of one session: a stream that is opened again whenever it ends, after a wait that grows and is never the
 * same for two of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { WpgateError } from "../../errors.ts";
import type { Protocol } from "../../xds/type-url.ts";
import type { AdsStream, ConnectUpstream } from "../../grpc/ads-stream.ts";
import { afterFailure, NEVER_FAILED, type ReconnectPolicy } from "./reconnect.ts";
import type { UpstreamView } from "../view.ts";

export interface UpstreamLoopOptions {
  readonly protocol: Protocol;
  readonly connect: ConnectUpstream;
  readonly policy: ReconnectPolicy;
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  /** A stream is there; what it takes is written to it until `onClosed`. */
  readonly onOpen: (stream: AdsStream) => void;
  readonly onMessage: (message: Uint8Array) => Promise<void>;
  /** @param reason - why it ended, or could not be opened; `waitMs` until the next attempt */
  readonly onClosed: (reason: string, code: string, waitMs: number) => void;
}

export class UpstreamLoop {
  readonly #options: UpstreamLoopOptions;
  #view: UpstreamView;

  constructor(options: UpstreamLoopOptions) {
    this.#options = options;
    this.#view = { state: "connecting", sinceMs: options.nowMs() };
  }

  get view(): UpstreamView {
    return this.#view;
  }

  /** Until the signal. Never rejects. */
  async run(): Promise<void> {
    const { signal, policy, nowMs, onClosed } = this.#options;
    let state = NEVER_FAILED;
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      const openedMs = performance.now();
      const heard = { anything: false };
      const { reason, code } = await this.#once(heard);
      if (isOver()) return;
      const livedMs = heard.anything ? performance.now() - openedMs : 0;
      const next = afterFailure(policy, state, { livedMs, random: Math.random() });
      state = next.state;
      this.#view = { state: "waiting", sinceMs: nowMs(), reason };
      onClosed(reason, code, next.waitMs);
      await sleep(next.waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One stream from its beginning to its end. */
  async #once(heard: { anything: boolean }): Promise<{ readonly reason: string; readonly code: string }> {
    const { connect, protocol, metadata, signal, nowMs, onOpen, onMessage } = this.#options;
    let stream: AdsStream | undefined;
    try {
      this.#view = { state: "connecting", sinceMs: nowMs() };
      stream = await connect({ protocol, metadata, signal });
      const sinceMs = nowMs();
      this.#view = { state: "connected", sinceMs };
      onOpen(stream);
      for await (const message of stream.messages) {
        heard.anything = true;
        this.#view = { state: "connected", sinceMs, lastMessageMs: nowMs() };
        await onMessage(message);
      }
      return { reason: "the server has ended the stream", code: "UNAVAILABLE" };
    } catch (error) {
      if (error instanceof WpgateError) return { reason: error.message, code: (error as WpgateError).code };
      return { reason: `a bug of wpgate: ${String(error)}`, code: "INTERNAL" };
    } finally {
      stream?.end({ grpcStatus: "UNAVAILABLE", message: "the stream is over" });
    }
  }
}
