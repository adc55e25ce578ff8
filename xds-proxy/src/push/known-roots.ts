/**
 * The root namespace's roots as a receiver knows them: pushes are checked under the last one. A chain comes unsigned from the wrapping
 * proxy, and from wherever the caller keeps one; each is verified from the pin, and never goes back.
 */
import { encodeBase64Url } from "../bytes/base64url.ts";
import { refuse, checking } from "../envelope/refusal.ts";
import { iatMaxSecOf, lastOf, verifyRootChain } from "../envelope/roots.ts";
import type { RootChain } from "../envelope/roots.ts";
import { checkRootFloors, stateOfRoots } from "../envelope/state.ts";
import type { StatementContext } from "../envelope/statement.ts";
import { checkTimes } from "../envelope/times.ts";
import type { EnvelopeInput, Pin, Recipient, TrustState } from "../envelope/types.ts";
import { CFG_TTL_MAX_SEC } from "../gen/limits.ts";
import type { LearnedRoots } from "./types.ts";

export interface KnownRootsOptions {
  readonly pin: Pin;
  readonly rootNamespace: string;
  readonly state: TrustState | undefined;
}

export class KnownRoots {
  private readonly options: KnownRootsOptions;
  private chain: RootChain | undefined;
  private state: TrustState | undefined;
  /** Of everything that was verified in this session, pushes included. */
  private iatMaxSec = 0;

  constructor(options: KnownRootsOptions) {
    this.options = options;
    this.state = options.state;
  }

  /** @throws VerifyError as a chain by itself does, and ROLLBACK, EQUIVOCATION. */
  take(roots: readonly EnvelopeInput[], nowMs: number): LearnedRoots {
    const { pin, rootNamespace } = this.options;
    const chain = verifyRootChain({ pin, ns: rootNamespace, roots, nowMs, state: this.state });
    const texts = roots.map((root) => (typeof root === "string" ? root : encodeBase64Url(root)));
    if (this.chain && this.state && isOlder(chain, this.chain)) {
      return { kind: "roots", state: this.state, roots: texts, taken: false };
    }
    checking("state", () => {
      if (this.state) checkRootFloors(chain, this.state);
    });
    const state = stateOfRoots(chain, this.state);
    if (this.state && state.minEp > this.state.minEp) this.iatMaxSec = 0;
    this.chain = chain;
    this.state = state;
    return { kind: "roots", state, roots: texts, taken: true };
  }

  /** What a push is checked under.
   *  @throws VerifyError ROOT_INVALID without a chain, and the times of its last root. */
  context(nowMs: number, recipient: Recipient | undefined): StatementContext {
    return checking("roots", () => {
      const last = this.chain ? lastOf(this.chain) : refuse("ROOT_INVALID", "no root chain came yet");
      const clock = { nowMs, iatMaxSec: Math.max(this.iatMaxSec, iatMaxSecOf(this.state, last.document)) };
      checkTimes(last, clock, CFG_TTL_MAX_SEC);
      return { root: last.document, clock, recipient };
    });
  }

  /** Of a push that was verified. */
  noteIat(iatSec: number): void {
    this.iatMaxSec = Math.max(this.iatMaxSec, iatSec);
  }
}

/** A wrapping proxy may be late to learn of a new root. Its chain is then a part of the one in force, and changes nothing.
 *  @throws VerifyError EQUIVOCATION for a root that is not the one in force with its `ep`. */
function isOlder(chain: RootChain, known: RootChain): boolean {
  const last = lastOf(chain);
  if (last.document.ep >= lastOf(known).document.ep) return false;
  const same = known.find(({ document }) => document.ep === last.document.ep);
  if (same && same.cd !== last.cd) checking("state", () => refuse("EQUIVOCATION", `another root ${last.document.ep}`));
  return true;
}
