import { View } from "../bytes/view";
import { Policy } from "./policy";
import { Decision, Knobs, Node, Reason, RequestAttributes } from "./types";

/** Every policy that applies to one workload, ready to be asked. Immutable; shared by all requests. */
@final
export class PolicySet {
  /** Bit `1 << Attribute` for every attribute that a loaded rule can ask for; nothing else is ever read. */
  readonly attributes: u32 = 0;
  /** Lower-case names of the headers that loaded rules look at. */
  readonly headerNames: View[] = [];
  /** Paths of the JWT claims that loaded rules look at. */
  readonly claimPaths: View[][] = [];

  private constructor(private readonly knobs: Knobs) {}

  /** Keeps of `policies` (of the node's namespace and of the root namespace, in any order) those that apply to `node`. */
  static compile(policies: Policy[], node: Node, knobs: Knobs): PolicySet {
    return new PolicySet(knobs);
  }

  /** What the policies say about one request. Never fails, keeps nothing. */
  evaluate(request: RequestAttributes): Decision {
    return new Decision(this.knobs.defaultDeny ? Reason.DefaultDeny : Reason.NoPolicy, "");
  }
}
