// One plugin configuration in one VM.
//
// A worker whose answer differs from the canary's is left out of the filter chain without a word, under every failure
// policy. `configure` is therefore a pure function of the bytes, the pin and the VM's environment: it returns false for what
// every VM finds wrong with these bytes for ever, and true for all else, which then shows in how requests are answered.
import { getBuffer, setTickPeriodMs } from "../abi/hostcalls";
import { BufferType, LogLevel } from "../abi/types";
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { CONFIGURATION_MAX_BYTES } from "../gen/limits";
import { Candidate } from "./candidate";
import { parseConfiguration } from "./configuration";
import { Envelopes } from "./envelopes";
import { Vm } from "./vm";

const TICK_PERIOD_MS: i32 = 1000;

@final
export class RootContext {
  /** Accepted, but not valid yet, or the node does not yet say whether they apply: tried again. */
  private waiting: Envelopes[] = [];

  constructor(readonly vm: Vm) {}

  /** @param length of the configuration, in bytes */
  configure(length: i32): bool {
    setTickPeriodMs(TICK_PERIOD_MS);
    this.vm.synchronize(true);
    const accepted = length == 0 || !this.vm.isPinned || this.accept(length);
    this.vm.refresh();
    return accepted;
  }

  tick(): void {
    const waiting = this.waiting;
    this.vm.synchronize(waiting.length > 0);
    this.waiting = [];
    for (let i = 0; i < waiting.length; i++) this.offer(waiting[i], this.vm.check(waiting[i]));
    this.vm.refresh();
    this.vm.report();
  }

  private accept(length: i32): bool {
    if (length > CONFIGURATION_MAX_BYTES) return this.refuse(Code.SIZE, "configuration");
    const reply = getBuffer(BufferType.PluginConfiguration, length);
    if (reply.ok && reply.bytes.length == length) return this.acceptText(reply.bytes);
    this.vm.telemetry.say(LogLevel.Error, "the host does not hand over the configuration");
    return true;
  }

  /** All sets or none. */
  private acceptText(text: View): bool {
    const sets = parseConfiguration(text);
    if (sets == null) return this.refuse(Code.PAYLOAD, "configuration");
    const candidates: Candidate[] = [];
    for (let i = 0; i < sets.length; i++) {
      const candidate = isRepeated(sets, i) ? Candidate.refused(Code.MIXED) : this.vm.check(sets[i]);
      if (!this.isAcceptable(candidate)) return this.refuse(candidate.code, `sets[${i}] ${candidate.where}`);
      candidates.push(candidate);
    }
    for (let i = 0; i < candidates.length; i++) this.offer(sets[i], candidates[i]);
    return true;
  }

  private isAcceptable(candidate: Candidate): bool {
    return candidate.code == Code.OK || (candidate.code == Code.RECIPIENT && this.vm.recipientUnknown);
  }

  private offer(envelopes: Envelopes, candidate: Candidate): void {
    if (!this.vm.offer(envelopes.claimedNamespace, candidate)) this.waiting.push(envelopes);
  }

  private refuse(code: Code, where: string): bool {
    this.vm.telemetry.refuse(code, where);
    return false;
  }
}

function isRepeated(sets: Envelopes[], index: i32): bool {
  for (let i = 0; i < index; i++) if (sets[i].claimedNamespace.equals(sets[index].claimedNamespace)) return true;
  return false;
}
