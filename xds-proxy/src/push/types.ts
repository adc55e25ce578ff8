/** Vocabulary of signed pushes (docs/envelope.md section 10): what a receiver says of each outer response. */
import type { Code } from "../gen/codes.ts";
import type { TrustState } from "../envelope/types.ts";

/** Type URL of the only resource of an outer response, and of an outer response that carries a heartbeat. */
export const WEBPUSH_MESSAGE = "type.googleapis.com/webpush.WebpushMessage";
/** Type URL of an outer response that carries root chains. */
export const ROOTS = "wpgate/Roots";
/** Claim `rt` of a heartbeat. */
export const HEARTBEAT = "wpgate/Heartbeat";
/** Name of a delta resource that carries an envelope. Nothing depends on it: names of outer resources are for carriers. */
export const OUTER_NAME = "wpgate";
/** Types that one session pushes; Envoy knows about ten. */
export const PUSHED_TYPES_MAX_COUNT = 64;

/** A response that the wrapping proxy signed, as Envoy may see it. */
export interface PushedResponse {
  readonly kind: "response";
  readonly typeUrl: string;
  /** The inner response as it was signed: a window on the outer one, unless it was sealed. */
  readonly inner: Uint8Array;
  /** The inner response with the outer's nonce and version: a copy, made each time it is asked for. */
  readonly raw: Uint8Array;
  /** Of the outer response, for the ACK. */
  readonly nonce: string;
  readonly version: string;
  readonly seq: string;
}

/** A sign of life. It is neither passed on nor answered. */
export interface PushedHeartbeat {
  readonly kind: "heartbeat";
  readonly seq: string;
}

/** A root chain that holds, to be stored before anything that was signed under it is used. */
export interface LearnedRoots {
  readonly kind: "roots";
  /** What the receiver began with, advanced by the chain. Where others advance the same namespace meanwhile, `mergeRoots` puts both together. */
  readonly state: TrustState;
  /** The chain as texts, oldest first, to begin with the next time. */
  readonly roots: readonly string[];
  /** False for a chain that is older than the one in force, which stays. */
  readonly taken: boolean;
}

/** The session is over: every later response is refused with the same words. */
export interface RefusedPush {
  readonly kind: "refused";
  readonly code: Code;
  /** The part of the response that is at fault: `roots[1]`, `push`, `outer`. */
  readonly where: string;
  readonly reason: string;
}

export type PushVerdict = PushedResponse | PushedHeartbeat | LearnedRoots | RefusedPush;
