/**
 * The unwrapping side of one ADS stream (docs/envelope.md section 10): outer responses in, verdicts out. No verdict is an exception, and after the
 * first refusal there is no other. What was verified is what is handed on: nothing is encoded again.
 */
import { parsing, refuse, verdictOf } from "../envelope/refusal.ts";
import { openOwned } from "../envelope/statement.ts";
import type { OpenedStatement } from "../envelope/statement.ts";
import type { EnvelopeInput, Pin, Recipient, TrustState } from "../envelope/types.ts";
import { ENVELOPE_OVERHEAD_MAX_BYTES, PUSH_DATA_MAX_BYTES } from "../gen/limits.ts";
import type { Protocol } from "../xds/type-url.ts";
import { parseHeartbeat, sameSeqs } from "./heartbeat.ts";
import { readInnerNames, renamed, RESPONSE_MESSAGES } from "./inner-response.ts";
import { KnownRoots } from "./known-roots.ts";
import { readOuterResponse } from "./outer-response.ts";
import type { OuterResponse } from "./outer-response.ts";
import { Silence } from "./silence.ts";
import type { Clocks } from "./silence.ts";
import { HEARTBEAT, PUSHED_TYPES_MAX_COUNT, ROOTS, WEBPUSH_MESSAGE } from "./types.ts";
import type { LearnedRoots, PushedHeartbeat, PushedResponse, PushVerdict, RefusedPush } from "./types.ts";

/** An outer response beyond its envelope: names, type URLs, and what a carrier says of itself. */
export const OUTER_MAX_BYTES: number = PUSH_DATA_MAX_BYTES + 2 * ENVELOPE_OVERHEAD_MAX_BYTES;

export interface PushReceiverOptions extends Clocks {
  readonly pin: Pin;
  /** Whose push keys count. */
  readonly rootNamespace: string;
  /** What is remembered of the root namespace. */
  readonly state?: TrustState | undefined;
  readonly protocol: Protocol;
  readonly recipient?: Recipient | undefined;
  /** Node id of this end of the stream. */
  readonly node: string;
  /** Made by `newSessionId` for this stream alone. */
  readonly sid: string;
  /** Interval that is expected before the first heartbeat says its own. */
  readonly heartbeatSec: number;
}

export class PushReceiver {
  private readonly options: PushReceiverOptions;
  private readonly roots: KnownRoots;
  private readonly silence: Silence;
  private readonly last = new Map<string, string>();
  private seq = 0n;
  private refusal: RefusedPush | undefined;

  constructor(options: PushReceiverOptions) {
    this.options = options;
    this.roots = new KnownRoots({ ...options, state: options.state });
    this.silence = new Silence(options, options.heartbeatSec);
  }

  /** Monotonic time from which silence is a fault, and the caller ends the stream. */
  get silentAfterMs(): number {
    return this.silence.afterMs;
  }

  /** To be called when the caller has not asked for messages for a while, because it was busy with one: silence counts from now. */
  listenAgain(): void {
    this.silence.listenAgain();
  }

  /** Roots that the caller knows from elsewhere: stored, configured, or verified on another way. A refusal does not end the session. */
  takeRoots(roots: readonly EnvelopeInput[]): LearnedRoots | RefusedPush {
    return this.judge(() => this.roots.take(roots, this.options.nowMs()));
  }

  /** @param outer - one outer response, which from now on nobody else changes */
  take(outer: Uint8Array): PushVerdict {
    if (this.refusal) return this.refusal;
    const verdict = this.judge(() => this.check(outer));
    if (verdict.kind === "refused") this.refusal = verdict;
    return verdict;
  }

  private judge<V extends PushVerdict>(checks: () => V): V | RefusedPush {
    const verdict = verdictOf(checks);
    if (!("result" in verdict)) return verdict;
    return { kind: "refused", code: verdict.result, where: verdict.where, reason: verdict.reason };
  }

  /** @throws VerifyError */
  private check({ buffer, byteOffset, length }: Uint8Array): PushVerdict {
    if (length > OUTER_MAX_BYTES) refuse("SIZE", "the response is too long");
    // Windows on a Buffer would be Buffers, whose `slice` is another one.
    const bytes = new Uint8Array(buffer, byteOffset, length);
    const outer = parsing("PROTO", () => readOuterResponse(bytes, this.options.protocol));
    if (outer.typeUrl === ROOTS) return this.roots.take(outer.envelopes, this.options.nowMs());
    const [envelope, ...others] = outer.envelopes;
    if (envelope === undefined || others.length > 0) refuse("PROTO", "not exactly one resource");
    return outer.typeUrl === WEBPUSH_MESSAGE ? this.checkHeartbeat(envelope) : this.checkResponse(outer, envelope);
  }

  private checkResponse(outer: OuterResponse, envelope: Uint8Array): PushedResponse {
    const { typeUrl, nonce, version } = outer;
    const { claims, payload } = this.open(envelope, RESPONSE_MESSAGES[this.options.protocol]);
    const inner = parsing("PAYLOAD", () => readInnerNames(payload));
    if (inner.typeUrl !== typeUrl) refuse("TYPE", "the response inside is of another type");
    if (!this.last.has(typeUrl) && this.last.size >= PUSHED_TYPES_MAX_COUNT) refuse("SIZE", "too many types");
    const seq = this.accept(claims.iat);
    this.last.set(typeUrl, seq);
    this.silence.heard(claims.iat);
    return {
      ...{ kind: "response", typeUrl, inner: payload, nonce, version, seq },
      get raw(): Uint8Array {
        return renamed(payload, { nonce, version });
      },
    };
  }

  private checkHeartbeat(envelope: Uint8Array): PushedHeartbeat {
    const { claims, payload } = this.open(envelope, HEARTBEAT);
    const known = parsing("PAYLOAD", () => parseHeartbeat(payload));
    if (!sameSeqs(known, this.last)) refuse("SEQUENCE", "the heartbeat knows of other pushes");
    const seq = this.accept(claims.iat);
    this.silence.heartbeat(claims.iat, claims.exp - claims.iat);
    return { kind: "heartbeat", seq };
  }

  /** Every check of one statement, this node and the next number of this session among them. */
  private open(envelope: Uint8Array, rt: string): OpenedStatement {
    const { node, sid, nowMs, recipient } = this.options;
    const want = { use: "push", rt, name: node, sid, seq: String(this.seq + 1n) } as const;
    return openOwned(envelope, want, this.roots.context(nowMs(), recipient));
  }

  private accept(iatSec: number): string {
    this.seq += 1n;
    this.roots.noteIat(iatSec);
    return String(this.seq);
  }
}
