// What a request is answered. A request that is let through carries a mark that no client can make (Envoy: filter state
// `wasm.ok`); the filter after this one, which is native, refuses requests without it.
import { nowMs, sendLocalResponse, setProperty } from "../abi/hostcalls";
import { Action, LogLevel, Status } from "../abi/types";
import { View } from "../bytes/view";
import { Decision, Reason, Shadow } from "../policy/types";
import { Enforcement } from "./enforcement";
import { Vm } from "./vm";

const OK_PROPERTY = View.utf8("ok");
const OK_VALUE = View.utf8("1");
/** For access logs: Envoy's filter state `wasm.rule`. */
const RULE_PROPERTY = View.utf8("rule");
/** What the dry-run policies alone would have said: `wasm.dry_run`. */
const DRY_RUN_PROPERTY = View.utf8("dry_run");
const DRY_RUN_ALLOWED = View.utf8("allowed");
const DRY_RUN_DENIED = View.utf8("denied");
/** An AUDIT rule matched: `wasm.audit`. */
const AUDIT_PROPERTY = View.utf8("audit");

const UNAVAILABLE: i32 = 503;

// For access logs (%RESPONSE_CODE_DETAILS%); clients see an empty body.
const UNKNOWN_CONTEXT = View.utf8("wpgate_unknown_context");
const UNVERIFIED = View.utf8("wpgate_unverified");
const STALE = View.utf8("wpgate_stale");
const HOST_FAILURE = View.utf8("wpgate_host_failure");
const DENIED = View.utf8("wpgate_denied");
const AMBIGUOUS_PATH = View.utf8("wpgate_ambiguous_path");

export function answerUnknown(): Action {
  return respond(UNAVAILABLE, UNKNOWN_CONTEXT);
}

export function answer(vm: Vm): Action {
  const enforcement = vm.enforcement;
  if (enforcement == null) {
    vm.telemetry.unverified.add(1);
    return respond(UNAVAILABLE, UNVERIFIED);
  }
  if (isClosed(enforcement)) {
    vm.telemetry.stale.add(1);
    return refuse(vm, enforcement, UNAVAILABLE, STALE, "stale");
  }
  if (vm.isStale) vm.telemetry.stale.add(1);
  return decide(vm, enforcement);
}

function decide(vm: Vm, enforcement: Enforcement): Action {
  const request = vm.request;
  request.reset();
  const decision = enforcement.policies.evaluate(request);
  if (request.failed) return refuse(vm, enforcement, UNAVAILABLE, HOST_FAILURE, "host failure");
  comment(decision);
  if (decision.allow) {
    if (decision.rule.length > 0) setProperty(RULE_PROPERTY, decision.ruleBytes);
    return letPass(vm);
  }
  return refuse(vm, enforcement, decision.status, details(decision), reason(decision));
}

/** What decides nothing, for access logs. */
function comment(decision: Decision): void {
  if (decision.audited) setProperty(AUDIT_PROPERTY, OK_VALUE);
  if (decision.shadow == Shadow.None) return;
  setProperty(DRY_RUN_PROPERTY, decision.shadow == Shadow.Denied ? DRY_RUN_DENIED : DRY_RUN_ALLOWED);
}

/** The clock is asked only when it could matter; without one, it does. */
function isClosed(enforcement: Enforcement): bool {
  if (enforcement.closedAtMs == i64.MAX_VALUE) return false;
  const now = nowMs();
  return now < 0 || now >= enforcement.closedAtMs;
}

function details(decision: Decision): View {
  return decision.reason == Reason.AmbiguousPath ? AMBIGUOUS_PATH : DENIED;
}

function reason(decision: Decision): string {
  if (decision.rule.length > 0) return decision.rule;
  return decision.reason == Reason.AmbiguousPath ? "ambiguous path" : "no rule";
}

/** Under `monitor` counts only. */
function refuse(vm: Vm, enforcement: Enforcement, status: i32, details: View, rule: string): Action {
  setProperty(RULE_PROPERTY, View.utf8(rule));
  vm.telemetry.say(LogLevel.Info, (enforcement.monitor ? "would deny: " : "denied: ") + rule);
  if (enforcement.monitor) {
    vm.telemetry.wouldDeny.add(1);
    return letPass(vm);
  }
  vm.telemetry.denied.add(1);
  return respond(status, details);
}

function letPass(vm: Vm): Action {
  if (setProperty(OK_PROPERTY, OK_VALUE) != Status.Ok) return respond(UNAVAILABLE, HOST_FAILURE);
  vm.telemetry.countAllowed();
  return Action.Continue;
}

/** Without a response the request waits, which is closed too. */
function respond(status: i32, details: View): Action {
  sendLocalResponse(status, details);
  return Action.Pause;
}
