/** Runs a case on an implementation and says what came out, in the words of `expect`. */
import { meets, parseEnvelopeCase } from "../conformance/envelope-case.ts";
import type { EnvelopeVerdict } from "../conformance/envelope-case.ts";
import { verifyCase } from "../conformance/implementation-ts.ts";
import { testable } from "../filter/testable.ts";
import type { CaseFile } from "./case.ts";

export function runTypeScript(file: CaseFile): EnvelopeVerdict {
  return verifyCase(parseEnvelopeCase(file.comment, file));
}

export function runFilter(file: CaseFile): EnvelopeVerdict {
  return callFilter("verifyCase", file) as EnvelopeVerdict;
}

/** The pure verdict, and beside it the first fault of the clock or the state (docs/envelope.md section 8.1). */
export interface DeferredVerdict extends EnvelopeVerdict {
  readonly time: { readonly result: string; readonly where?: string };
}

export function runFilterDeferred(file: CaseFile): DeferredVerdict {
  return callFilter("verifyCaseDeferred", file) as DeferredVerdict;
}

function callFilter(name: string, file: CaseFile): unknown {
  const text = testable().call((memory) => {
    const { ptr, length } = memory.putText(JSON.stringify(file));
    return memory.takeString(testable().fn(name)(ptr, length));
  });
  return JSON.parse(text) as unknown;
}

/** What a case file says about the outcome: `payloads` and `state` where it names them. */
export function agrees(file: CaseFile, outcome: EnvelopeVerdict): boolean {
  return meets(parseEnvelopeCase(file.comment, file).expect, outcome);
}
