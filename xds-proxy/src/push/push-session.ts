/**
 * The wrapping side of one ADS stream (docs/envelope.md section 10): every response of the control plane becomes one signed push,
 * numbered 1, 2, 3 … under the receiver's session nonce. One signature for each push, however many resources are in it.
 */
import { ConfigError, LimitError, UpstreamError } from "../errors.ts";
import { decodeBase64Url } from "../bytes/base64url.ts";
import { concat } from "../bytes/octets.ts";
import { findKey } from "../envelope/signers.ts";
import { signStatementParts } from "../envelope/seal.ts";
import type { Signer } from "../envelope/seal.ts";
import type { RootDocument } from "../envelope/documents.ts";
import type { EnvelopeInput, RecipientPublic } from "../envelope/types.ts";
import type { Protocol } from "../xds/type-url.ts";
import { encodeHeartbeat, silenceMaxSec } from "./heartbeat.ts";
import { readInnerNames, RESPONSE_MESSAGES } from "./inner-response.ts";
import { outerResponseParts, writeOuterResponse } from "./outer-response.ts";
import type { OuterNames } from "./outer-response.ts";
import { isSessionId } from "./session-id.ts";
import { HEARTBEAT, PUSHED_TYPES_MAX_COUNT, ROOTS, WEBPUSH_MESSAGE } from "./types.ts";

/** The root namespace's roots as the wrapping proxy knows them. */
export interface PushRoots {
  /** The last root of `chain`, verified by the caller. */
  readonly root: RootDocument;
  /** Oldest first, from the pinned root on. */
  readonly chain: readonly EnvelopeInput[];
}

export interface PushSessionOptions extends PushRoots {
  readonly protocol: Protocol;
  readonly signer: Signer;
  /** Node id of the receiver, which the caller has authenticated. */
  readonly node: string;
  /** The receiver's session nonce, base64url of 16 bytes. */
  readonly sid: string;
  /** Seals each push for this recipient. */
  readonly recipient?: RecipientPublic | undefined;
  readonly nowMs: () => number;
  /** Lifetime of a push, at most a day. */
  readonly ttlSec: number;
  /** The caller sends a heartbeat at least this often. */
  readonly heartbeatSec: number;
  /** `mailto:` or `https:` contact, the claim `sub`. */
  readonly contact: string;
}

/** Calls are answered one after the other, in their order, which is the order of `seq` and of sending. After one has failed the session is of no
 *  use: what was not signed cannot be left out. */
export class PushSession {
  private readonly options: PushSessionOptions;
  private roots: PushRoots;
  private seq = 0n;
  private readonly last = new Map<string, string>();
  private queue: Promise<unknown> = Promise.resolve();

  /** @throws ConfigError when the root does not let this key push alone; UpstreamError PROTOCOL for a `sid` that is none. */
  constructor(options: PushSessionOptions) {
    if (!isSessionId(options.sid))
      throw new UpstreamError("PROTOCOL", "the session nonce is not base64url of 16 bytes");
    assertMayPush(options.signer, options.root);
    this.options = options;
    this.roots = options;
  }

  /** Signs a response of the control plane as it came.
   *  @param outer - nonce and version of the outer response; those of the response itself when absent
   *  @returns the outer response to send
   *  @throws LimitError; UpstreamError SIGNER, PROTOCOL for a response that is not of `typeUrl`, or of a type that is wpgate's own */
  async push(typeUrl: string, response: Uint8Array, outer?: OuterNames): Promise<Uint8Array> {
    return concat(...(await this.pushParts(typeUrl, response, outer)));
  }

  /** The same in pieces, one of which is `response` itself. */
  pushParts(typeUrl: string, response: Uint8Array, outer?: OuterNames): Promise<readonly Uint8Array[]> {
    return this.next(async () => {
      const inner = readInnerNames(response);
      if (inner.typeUrl !== typeUrl) throw new UpstreamError("PROTOCOL", "a response of another type than it says");
      if (typeUrl === WEBPUSH_MESSAGE || typeUrl === ROOTS) throw new UpstreamError("PROTOCOL", "a reserved type");
      if (!this.last.has(typeUrl) && this.last.size >= PUSHED_TYPES_MAX_COUNT) throw new LimitError("too many types");
      const { protocol, ttlSec } = this.options;
      const envelope = await this.sign({ rt: RESPONSE_MESSAGES[protocol], data: response, ttlSec });
      this.last.set(typeUrl, String(this.seq));
      return outerResponseParts({ typeUrl, ...(outer ?? inner), envelopes: [envelope] }, protocol);
    });
  }

  /** @returns the outer response to send.
   *  @throws UpstreamError SIGNER */
  heartbeat(): Promise<Uint8Array> {
    return this.next(async () => {
      const { heartbeatSec, protocol } = this.options;
      const data = encodeHeartbeat(this.last);
      const envelope = await this.sign({ rt: HEARTBEAT, data, ttlSec: silenceMaxSec(heartbeatSec) });
      return writeOuterResponse({ typeUrl: WEBPUSH_MESSAGE, ...this.ownNames(), envelopes: [envelope] }, protocol);
    });
  }

  /** The root chain, to be sent before the first push, and again by `rotate`. */
  announceRoots(): Promise<Uint8Array> {
    return this.next(() => Promise.resolve(this.rootsMessage()));
  }

  /** Signs under another root from now on.
   *  @returns the outer response to send
   *  @throws ConfigError when the root does not let this key push alone */
  rotate(roots: PushRoots): Promise<Uint8Array> {
    return this.next(() => {
      assertMayPush(this.options.signer, roots.root);
      this.roots = roots;
      return Promise.resolve(this.rootsMessage());
    });
  }

  private rootsMessage(): Uint8Array {
    const envelopes = this.roots.chain.map((text) => [typeof text === "string" ? decodeBase64Url(text) : text]);
    return writeOuterResponse({ typeUrl: ROOTS, ...this.ownNames(), envelopes }, this.options.protocol);
  }

  private ownNames(): OuterNames {
    return { nonce: `wpgate-${this.seq}`, version: String(this.seq) };
  }

  private async sign(content: PushContent): Promise<readonly Uint8Array[]> {
    const { signer, node, sid, recipient, nowMs, contact } = this.options;
    const { ns, mesh, trustDomain, ep } = this.roots.root;
    const iatSec = Math.floor(nowMs() / 1000);
    const seq = this.seq + 1n;
    const { rt, data, ttlSec } = content;
    const parts = await signStatementParts({
      ...{ use: "push", ns, mesh, trustDomain, ep, sub: contact, iatSec, expSec: iatSec + ttlSec },
      ...{ rt, name: node, sid, seq: String(seq), data, signers: [signer] },
      ...(recipient && { recipient }),
    });
    this.seq = seq;
    return parts;
  }

  /** Runs one call after those before it; the first failure is the answer to all that come later. */
  private next<T>(step: () => Promise<T>): Promise<T> {
    const result = this.queue.then(step);
    this.queue = result;
    return result;
  }
}

interface PushContent {
  readonly rt: string;
  readonly data: Uint8Array;
  readonly ttlSec: number;
}

function assertMayPush({ publicKey }: Signer, root: RootDocument): void {
  const fault = pushFault(publicKey, root);
  if (fault !== undefined) throw new ConfigError([{ path: "wrap.key", message: fault }]);
}

function pushFault(publicKey: Uint8Array, root: RootDocument): string | undefined {
  if (!findKey(root, publicKey.subarray(1))?.roles.includes("push")) {
    return `root ${root.ep} of ${root.ns} does not name this key for push`;
  }
  if (root.thresholds.push > 1) return `root ${root.ep} of ${root.ns} asks for more than one push signature`;
  return undefined;
}
