/** What the runner asks of an implementation. */
import type { Operation, Verdict } from "./cases.ts";
import type { EnvelopeCase, EnvelopeVerdict } from "./envelope-case.ts";

export interface Implementation {
  /** One verdict for each operation, in order. */
  readonly judge: (operations: readonly Operation[]) => Promise<readonly Verdict[]> | readonly Verdict[];
  /** Absent: an implementation of primitives only. */
  readonly verify?: (envelopeCase: EnvelopeCase) => EnvelopeVerdict;
}

export const IMPLEMENTATIONS = ["ts", "wasm", "host"] as const;
export type ImplementationName = (typeof IMPLEMENTATIONS)[number];
