// From the envelopes of one namespace to policies that could be put in force.
import { View } from "../bytes/view";
import { NamespaceResult, verifyNamespace } from "../envelope/namespace";
import { Pin } from "../envelope/pin";
import { RootDocument } from "../envelope/root-document";
import { TrustState } from "../envelope/trust-state";
import { Recipient, VerifyOptions, Want } from "../envelope/types";
import { Use } from "../envelope/use";
import { Code } from "../gen/codes";
import { RULES_MAX_COUNT } from "../gen/limits";
import { parsePolicy } from "../policy/parse";
import { Policy } from "../policy/policy";
import { Envelopes } from "./envelopes";
import { Signatures } from "./host-signature";

const POLICY_TYPE = View.utf8("security.istio.io/v1/AuthorizationPolicy");

/** The signed state of a namespace, verified. */
@final
export class SignedState {
  constructor(
    readonly envelopes: Envelopes,
    readonly root: RootDocument,
    readonly floors: TrustState,
    readonly policies: Policy[],
    /** The first moment at which something in it has expired, skew not counted. */
    readonly expiresAtSec: i64,
  ) {}
}

@final
export class Candidate {
  /** A fault of the bytes: the same verdict at every time, in every VM. */
  code: Code = Code.OK;
  where: string = "";
  /** A fault of this moment or against the floors of this VM. */
  timeCode: Code = Code.OK;
  timeWhere: string = "";
  /** Null with a `code`; with a `timeCode` it must not be put in force. */
  state: SignedState | null = null;

  static of(state: SignedState): Candidate {
    const candidate = new Candidate();
    candidate.state = state;
    return candidate;
  }

  static refused(code: Code): Candidate {
    const candidate = new Candidate();
    candidate.code = code;
    return candidate;
  }
}

/** What a VM needs to check envelopes, the same for its whole life. */
@final
export class Checker {
  constructor(
    readonly pin: Pin,
    readonly pinText: View,
    private readonly recipient: Recipient | null,
    private readonly signatures: Signatures,
  ) {}

  /** @param floors of the state in force, or null */
  check(ns: View, envelopes: Envelopes, floors: TrustState | null, nowMs: i64): Candidate {
    const want = new Want(Use.Cfg);
    want.rt = POLICY_TYPE;
    const options = new VerifyOptions(this.pin, want, nowMs, this.signatures.verifier);
    options.tables = this.signatures.tables;
    options.state = floors;
    options.recipient = this.recipient;
    options.deferTime = true;
    return read(verifyNamespace(ns, envelopes.bundle, options), envelopes);
  }
}

function read(result: NamespaceResult, envelopes: Envelopes): Candidate {
  const candidate = new Candidate();
  candidate.code = result.code;
  candidate.where = result.where;
  candidate.timeCode = result.timeCode;
  candidate.timeWhere = result.timeWhere;
  const root = result.root;
  const next = result.next;
  if (result.code != Code.OK || root == null || next == null) return candidate;
  const policies: Policy[] = [];
  let rulesCount = 0;
  for (let i = 0; i < result.payloads.length; i++) {
    const payload = result.payloads[i];
    const parsed = parsePolicy(payload.data);
    const policy = parsed.policy;
    if (policy == null) {
      candidate.code = parsed.code;
      candidate.where = payload.name.toString() + " " + parsed.where;
      return candidate;
    }
    policies.push(policy);
    rulesCount += policy.rules.length;
  }
  if (rulesCount > RULES_MAX_COUNT) {
    candidate.code = Code.SIZE;
    candidate.where = "rules";
    return candidate;
  }
  candidate.state = new SignedState(envelopes, root, next, policies, result.expiresAtSec);
  return candidate;
}
