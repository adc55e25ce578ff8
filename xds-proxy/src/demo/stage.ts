/** Where the demo is played: an Envoy or several with the filter, and a carrier that nobody trusts. */
import type { Code } from "../gen/codes.ts";
import type { NamespaceBundle } from "../owner/bundle.ts";

/** What became of one delivery. */
export interface Outcome {
  /** Envoy's own answer to the control plane. */
  readonly answer: "ACK" | "NACK";
  /** Codes with which the filter has refused something since. */
  readonly codes: readonly Code[];
}

export interface Probe {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface Stage {
  /** Lets a bundle be carried to Envoy. @param refused - wait until the filter has refused something */
  readonly deliver: (bundle: NamespaceBundle, refused: boolean) => Promise<Outcome>;
  /** Sends each request, and returns how they were answered; the answer that is not as expected counts.
   *  @param options - settle: what is there now counts; otherwise it may still take a while to come */
  readonly probe: (expected: readonly Probe[], options: { readonly settle: boolean }) => Promise<readonly Probe[]>;
}
