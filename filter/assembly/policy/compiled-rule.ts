import { Matcher } from "./matchers";
import { Decision, RequestAttributes } from "./types";

/** A rule that is ready to be asked; the operations come first because they are the cheapest to read. */
@final
export class CompiledRule {
  constructor(
    /** What a match means, with Istio's name of the rule. */
    readonly decision: Decision,
    /** Position in the order of names, in which Envoy asks. */
    readonly order: i32,
    private readonly operations: Matcher[][],
    private readonly sources: Matcher[][],
    private readonly when: Matcher[],
  ) {}

  matches(request: RequestAttributes): bool {
    return anyHolds(this.operations, request) && anyHolds(this.sources, request) && allMatch(this.when, request);
  }
}

/** No alternatives at all mean no restriction. */
function anyHolds(alternatives: Matcher[][], request: RequestAttributes): bool {
  for (let i = 0; i < alternatives.length; i++) if (allMatch(alternatives[i], request)) return true;
  return alternatives.length == 0;
}

function allMatch(matchers: Matcher[], request: RequestAttributes): bool {
  for (let i = 0; i < matchers.length; i++) if (!matchers[i].matches(request)) return false;
  return true;
}
