// What all plugins that run in one VM have in common because it cannot differ between them: the pin inside the module, the
// node, the recipient key, and what has been proven about each namespace. Configurations only bring envelopes.
import { nowMs } from "../abi/hostcalls";
import { LogLevel } from "../abi/types";
import { View } from "../bytes/view";
import { parsePin } from "../envelope/pin";
import { Code } from "../gen/codes";
import { TrustDomains } from "../policy/trust-domains";
import { Candidate, Checker, SignedState } from "./candidate";
import { Enforcement, Site, compile } from "./enforcement";
import { Envelopes } from "./envelopes";
import { Gauges } from "./gauges";
import { chooseSignatures } from "./host-signature";
import { HttpRequest } from "./http-request";
import { NamespaceTrust } from "./namespace-trust";
import { pinText } from "./pin-region";
import { RecipientReading, readRecipient } from "./recipient-key";
import { Telemetry } from "./telemetry";
import { Workload, readWorkload } from "./workload";

/** Later than every `exp`: without a clock everything has expired. */
const NO_CLOCK_MS: i64 = i64.MAX_VALUE / 4;

@final
export class Vm {
  readonly telemetry: Telemetry = new Telemetry();
  /** The request in hand; requests are judged one after the other. */
  readonly request: HttpRequest = new HttpRequest();
  /** The host did not hand over the environment, so nothing is known about the recipient key. */
  readonly recipientUnknown: bool;
  /** Null while some namespace that applies has no verified state: everything is answered with 503. */
  enforcement: Enforcement | null = null;
  /** Whether something in force had expired at the last report. */
  isStale: bool = false;
  /** Null when the module is not pinned for this role. */
  private readonly checker: Checker | null;
  private workload: Workload | null = null;
  private trusts: NamespaceTrust[] = [];
  private gauges: Gauges[] = [];
  private compiled: SignedState[] = [];

  constructor() {
    const reading = readRecipient();
    this.recipientUnknown = reading.unreadable;
    this.checker = pinnedChecker(reading);
    if (!this.isPinned) this.telemetry.say(LogLevel.Error, "this module is not pinned: every request gets 503");
  }

  get isPinned(): bool {
    return this.checker != null;
  }

  /** Milliseconds since 1970. */
  now(): i64 {
    const now = nowMs();
    return now < 0 ? NO_CLOCK_MS : now;
  }

  /** The verdict on envelopes, whether or not they are for this node. */
  check(envelopes: Envelopes): Candidate {
    const checker = this.checker;
    const ns = envelopes.claimedNamespace;
    if (ns.length == 0) return Candidate.refused(Code.ROOT_INVALID);
    if (checker == null || checker.pin.rootDigest(ns) == null) return Candidate.refused(Code.UNPINNED);
    const trust = this.trustIn(ns);
    return trust == null ? checker.check(ns, envelopes, null, this.now()) : trust.check(envelopes, this.now());
  }

  /** Puts what passed in force if it is for this node; false when that has to be tried again later. */
  offer(ns: View, candidate: Candidate): bool {
    const trust = this.trustIn(ns);
    return trust == null ? this.workload != null : trust.offer(candidate);
  }

  /** Takes over what other VMs know. @param always also when none of them has written since the last time */
  synchronize(always: bool): void {
    this.findNode();
    for (let i = 0; i < this.trusts.length; i++) this.trusts[i].synchronize(this.now(), always);
  }

  /** Brings what decides requests up to date. */
  refresh(): void {
    const states: SignedState[] = [];
    for (let i = 0; i < this.trusts.length; i++) {
      const state = this.trusts[i].inForce;
      if (state != null) states.push(state);
    }
    const site = this.site();
    if (site == null || states.length < this.trusts.length || isSame(states, this.compiled)) return;
    this.enforcement = compile(states, site);
    this.compiled = states;
  }

  report(): void {
    const now = this.now();
    const enforcement = this.enforcement;
    this.isStale = enforcement != null && now >= enforcement.staleAtMs;
    for (let i = 0; i < this.trusts.length; i++) this.gauges[i].show(this.trusts[i].inForce, now);
    this.telemetry.flush();
  }

  private trustIn(ns: View): NamespaceTrust | null {
    for (let i = 0; i < this.trusts.length; i++) if (this.trusts[i].ns.equals(ns)) return this.trusts[i];
    return null;
  }

  private site(): Site | null {
    const checker = this.checker;
    const workload = this.workload;
    if (checker == null || workload == null) return null;
    const pin = checker.pin;
    return new Site(workload, pin.rootNamespace, new TrustDomains(pin.trustDomain, pin.trustDomainAliases));
  }

  /** Which namespaces apply is for the node to say; asked again until the host answers. */
  private findNode(): void {
    const checker = this.checker;
    if (checker == null || this.workload != null) return;
    const workload = readWorkload();
    if (workload == null) return;
    this.workload = workload;
    this.addTrust("namespace", workload.namespace, checker);
    const root = checker.pin.rootNamespace;
    if (root.equals(workload.namespace) || checker.pin.rootDigest(root) == null) return;
    this.addTrust("root_namespace", root, checker);
  }

  private addTrust(role: string, ns: View, checker: Checker): void {
    this.trusts.push(new NamespaceTrust(ns, checker, this.telemetry));
    this.gauges.push(new Gauges(role));
  }
}

function pinnedChecker(reading: RecipientReading): Checker | null {
  const text = pinText();
  if (text == null) return null;
  const pin = parsePin(text);
  if (pin == null || !pin.role.equals(View.utf8("policy"))) return null;
  return new Checker(pin, text, reading.recipient, chooseSignatures());
}

function isSame(a: SignedState[], b: SignedState[]): bool {
  if (a.length != b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] != b[i]) return false;
  return true;
}
