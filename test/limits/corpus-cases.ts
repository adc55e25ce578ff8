/** Limits whose cases are in the envelope corpus: its names, at the limit and one past it. */
import { readFileSync } from "node:fs";
import type { CaseFile } from "../corpus/case.ts";
import { runFilter, runTypeScript } from "../corpus/run.ts";

/** What each implementation says, in words that can be compared. */
export interface Verdicts {
  readonly filter: string;
  /** Undefined: nothing but the filter reads what this limit is about. */
  readonly typescript?: string;
}

export interface LimitCase {
  readonly at: () => Promise<Verdicts> | Verdicts;
  readonly past: () => Promise<Verdicts> | Verdicts;
  /** What `past` gives; `at` gives `ok`. */
  readonly refused: string;
}

export const CORPUS_CASES: Readonly<Record<string, LimitCase>> = {
  DATA_MAX_BYTES: corpusCase("limits-largest", "limits-data"),
  ENVELOPE_OVERHEAD_MAX_BYTES: corpusCase("limits-largest", "limits-envelope"),
  CLAIMS_MAX_BYTES: corpusCase("limits-claims-largest", "limits-claims"),
  COSIGNERS_MAX_COUNT: corpusCase("limits-cosigners-most", "limits-cosigners"),
  SIGNATURES_MAX_COUNT: corpusCase("limits-signatures-576", "limits-signatures-577"),
  ROOT_CHAIN_MAX_COUNT: corpusCase("root-longest", "root-too-long"),
  ROOT_KEYS_MAX_COUNT: corpusCase("root-keys-most", "root-keys-too-many"),
  THRESHOLD_MAX_COUNT: corpusCase("root-threshold-most", "root-threshold-nine"),
  SET_ENTRIES_MAX_COUNT: corpusCase("payload-set-most", "payload-set-too-many"),
  JSON_DEPTH_MAX: corpusCase("payload-cfg-depth-most", "payload-cfg-depth"),
  RECORD_SIZE_MAX_BYTES: corpusCase("sealed-rs-largest", "sealed-rs-over"),
  CLOCK_SKEW_SEC: corpusCase("validity-iat-skew", "validity-iat-ahead"),
  CFG_TTL_MAX_SEC: corpusCase("validity-ttl-cfg-longest", "validity-ttl-cfg"),
  FRESH_TTL_MIN_SEC: corpusCase("root-max-fresh-least", "root-max-fresh-under"),
  FRESH_TTL_MAX_SEC: corpusCase("root-max-fresh-most", "root-max-fresh-over"),
  PUSH_TTL_MAX_SEC: corpusCase("validity-ttl-push-longest", "validity-ttl-push"),
};

function corpusCase(atName: string, pastName: string): LimitCase {
  const past = read(pastName);
  return { at: () => both(read(atName)), past: () => both(past), refused: past.expect.result };
}

function read(name: string): CaseFile {
  const text = readFileSync(new URL(`../vectors/envelope/${name}.json`, import.meta.url), "utf8");
  return JSON.parse(text) as CaseFile;
}

export function both(file: CaseFile): Verdicts {
  return { filter: runFilter(file).result, typescript: runTypeScript(file).result };
}
