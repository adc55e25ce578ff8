/** What was found wrong with a resource, what became of it, and how istiod and people are told. */
import { shortName } from "../../xds/type-url.ts";

export interface Refused {
  readonly typeUrl: string;
  readonly resource: string;
  /** A code of proto/codes.json, or a clause of the Guard. */
  readonly code: string;
  readonly reason: string;
  readonly outcome: Outcome;
}

/** What Envoy gets in its place. */
export type Outcome = "kept" | "denied" | "dropped" | "repaired";

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  kept: "its last verified form stays",
  denied: "closed: it answers nothing but refusals",
  dropped: "left out",
  repaired: "the last verified statements are in it instead",
};

/** What a NACK may say; Envoy's own stay below it, too. */
const TEXT_MAX_LENGTH = 2_048;
const UNPRINTABLE = /\p{C}+/gu;

/** For a NACK's `error_detail`, which istiod shows in its own `syncz` and `istioctl proxy-status`. */
export function refusalText(refused: readonly Refused[]): string {
  const parts = refused.map(
    ({ typeUrl, resource, code, reason, outcome }) =>
      `${shortName(typeUrl)} ${resource}: ${code}: ${reason} (${OUTCOMES[outcome]})`,
  );
  return printable(`wpgate refused ${parts.join("; ")}`);
}

/** One line without control characters, of bounded length. */
export function printable(text: string): string {
  const line = text.replaceAll(UNPRINTABLE, " ");
  return line.length > TEXT_MAX_LENGTH ? `${line.slice(0, TEXT_MAX_LENGTH - 1)}…` : line;
}
