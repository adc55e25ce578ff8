/**
 * An upstream whose responses are signed pushes, as one whose responses are plain: each is verified before anybody sees it.
 * What is not good, or does not come in time, ends the stream; the next one has another session nonce.
 */
import { UpstreamError, VerifyError } from "../../errors.ts";
import { readInnerNames } from "../../push/inner-response.ts";
import { PushReceiver } from "../../push/push-receiver.ts";
import type { PushedResponse } from "../../push/types.ts";
import { newSessionId } from "../../push/session-id.ts";
import type { Recipient } from "../../envelope/types.ts";
import { SESSION_METADATA, type AdsStream, type ConnectUpstream } from "../../grpc/ads-stream.ts";
import type { PushTrust } from "./push-trust.ts";

export interface UnwrapOptions {
  readonly connect: ConnectUpstream;
  readonly trust: PushTrust;
  /** Of this stream's own end. */
  readonly node: string;
  readonly recipient?: Recipient | undefined;
  readonly heartbeatSec: number;
  readonly nowMs: () => number;
  /** Called with each sign of life that was verified. */
  readonly onAlive: () => void;
}

const monotonicMs = (): number => performance.now();

export function unwrapping(options: UnwrapOptions): ConnectUpstream {
  return async ({ protocol, metadata, signal }) => {
    const { connect, trust, ...rest } = options;
    const sid = newSessionId();
    const { pin, rootNamespace, kept } = trust;
    const receiver = new PushReceiver({ ...rest, protocol, sid, pin, rootNamespace, state: kept?.state, monotonicMs });
    if (trust.roots.length > 0) receiver.takeRoots(trust.roots);
    const stream = await connect({ protocol, signal, metadata: { ...metadata, [SESSION_METADATA]: sid } });
    return {
      ...{ protocol, messages: verified(stream, receiver, options), ended: stream.ended },
      write: (message) => stream.write(message),
      end: (failure) => {
        stream.end(failure);
      },
    };
  };
}

async function* verified(
  stream: AdsStream,
  receiver: PushReceiver,
  options: UnwrapOptions,
): AsyncGenerator<Uint8Array> {
  const { trust } = options;
  let { changesCount } = trust;
  const silence = watchSilence(stream, receiver);
  try {
    for await (const outer of stream.messages) {
      if (trust.changesCount !== changesCount) receiver.takeRoots(trust.roots);
      changesCount = trust.changesCount;
      const verdict = receiver.take(outer);
      switch (verdict.kind) {
        case "refused":
          throw new VerifyError(verdict.code, `${verdict.where}: ${verdict.reason}`, { where: verdict.where });
        case "roots":
          trust.learn(verdict);
          break;
        case "heartbeat":
          options.onAlive();
          break;
        case "response":
          options.onAlive();
          silence.pause();
          yield bytesOf(verdict);
          silence.resume();
      }
    }
    if (silence.isBroken()) throw SILENT;
  } catch (error) {
    throw silence.isBroken() ? SILENT : error;
  } finally {
    silence.stop();
  }
}

/** As it was signed where the outside says the same, which is nearly always; else a copy with what the outside says. */
function bytesOf(verdict: PushedResponse): Uint8Array {
  const { nonce, version } = readInnerNames(verdict.inner);
  return nonce === verdict.nonce && version === verdict.version ? verdict.inner : verdict.raw;
}

const SILENT = new UpstreamError(
  "TIMEOUT",
  "no signed push and no heartbeat came in time: the stream is withheld or half open",
);

interface SilenceWatch {
  isBroken(): boolean;
  /** Nobody listens now: what comes meanwhile lies unread. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** A timer that rings this much late tells of a process that did not run: then nobody has listened either. */
const ASLEEP_MS = 100;

/** Ends the stream when nothing was heard for as long as the last heartbeat allows. */
function watchSilence(stream: AdsStream, receiver: PushReceiver): SilenceWatch {
  let broken = false;
  let timer: NodeJS.Timeout | undefined;
  let dueMs = monotonicMs();
  const wait = (): void => {
    dueMs = receiver.silentAfterMs;
    timer = setTimeout(look, dueMs - monotonicMs());
  };
  const look = (): void => {
    if (monotonicMs() - dueMs > ASLEEP_MS) receiver.listenAgain();
    broken = receiver.silentAfterMs <= monotonicMs();
    if (broken) stream.end({ grpcStatus: "DEADLINE_EXCEEDED", message: SILENT.message });
    else wait();
  };
  const stop = (): void => {
    clearTimeout(timer);
  };
  wait();
  return {
    isBroken: () => broken,
    pause: stop,
    resume: () => {
      receiver.listenAgain();
      wait();
    },
    stop,
  };
}
