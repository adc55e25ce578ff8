// What one VM knows of one namespace: the newest signed state that it has verified in time. It only ever moves forward, and
// it does not depend on which configuration or which cache the envelopes came from.
//
// Who accepts what, and when:
// - A state is put in force only while nothing in it has expired. Once in force it stays, whatever the clock says; what an
//   expired one still allows is for `Enforcement` to say (`onStale`).
// - The VMs of a process take an update one after the other, and its last moment may lie between two of them. What another
//   VM has put in force is therefore taken over from the cache for HANDOVER_MS longer.
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { CONFIGURATION_MAX_BYTES } from "../gen/limits";
import { Candidate, Checker, SignedState } from "./candidate";
import { Envelopes, parseEnvelopes } from "./envelopes";
import { SharedCache } from "./shared-cache";
import { Telemetry } from "./telemetry";

const HANDOVER_MS: i64 = 60_000;

@final
export class NamespaceTrust {
  inForce: SignedState | null = null;
  private readonly cache: SharedCache;

  constructor(
    readonly ns: View,
    private readonly checker: Checker,
    private readonly telemetry: Telemetry,
  ) {
    this.cache = new SharedCache(checker.pinText, ns);
  }

  /** Checks envelopes against what is in force; changes nothing. */
  check(envelopes: Envelopes, nowMs: i64): Candidate {
    const current = this.inForce;
    if (current == null) return this.checker.check(this.ns, envelopes, null, nowMs);
    if (current.envelopes.text.equals(envelopes.text)) return Candidate.of(current);
    return this.checker.check(this.ns, envelopes, current.floors, nowMs);
  }

  /** Puts in force what `check` has passed, after `synchronize(…, true)`; counts why not at this moment. False when a
   *  later moment may be better. */
  offer(candidate: Candidate): bool {
    const state = candidate.state;
    if (state == null || state == this.inForce) return true;
    if (candidate.timeCode != Code.OK) {
      this.telemetry.refuse(candidate.timeCode, this.ns.toString() + " " + candidate.timeWhere);
      return candidate.timeCode != Code.NOT_YET_VALID;
    }
    this.putInForce(state);
    this.cache.write(state.envelopes.text);
    return true;
  }

  /** Takes over what other VMs have put in force, and gives back what was erased or replaced.
   *  @param always also when nobody has written since the last call */
  synchronize(nowMs: i64, always: bool): void {
    if (!always && !this.cache.hasChanged()) return;
    const text = this.cache.read();
    const current = this.inForce;
    if (current != null && current.envelopes.text.equals(text)) return;
    const isPlausible = text.length > 0 && text.length <= CONFIGURATION_MAX_BYTES;
    const cached: SignedState | null = isPlausible ? this.newer(text, nowMs) : null;
    if (cached != null) this.putInForce(cached);
    else if (current != null) this.cache.write(current.envelopes.text);
  }

  private newer(text: View, nowMs: i64): SignedState | null {
    const envelopes = parseEnvelopes(text);
    if (envelopes == null) return null;
    let candidate = this.check(envelopes, nowMs);
    if (isExpired(candidate.timeCode)) candidate = this.check(envelopes, nowMs - HANDOVER_MS);
    return candidate.timeCode == Code.OK ? candidate.state : null;
  }

  private putInForce(state: SignedState): void {
    this.inForce = state;
    this.telemetry.verified.add(1);
  }
}

function isExpired(code: Code): bool {
  return code == Code.EXPIRED || code == Code.FRESH_STALE;
}
