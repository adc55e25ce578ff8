import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { Policy } from "./policy";

/** A policy, or the code PAYLOAD (not a valid AuthorizationPolicy) or UNSUPPORTED (valid, but not enforceable here) and the
 *  JSON path of the fault. */
@final
export class ParseResult {
  constructor(
    readonly code: Code,
    readonly where: string,
    readonly policy: Policy | null,
  ) {}
}

/** Reads one AuthorizationPolicy.
 *  @param payload the exact JSON of the Kubernetes object; the policy keeps views on it, so the caller keeps the bytes */
export function parsePolicy(payload: View): ParseResult {
  return new ParseResult(Code.UNSUPPORTED, "spec", null);
}
