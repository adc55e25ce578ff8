/** Runs a case on an implementation and says what came out, in the words of `expect`. */
import { createHash } from "node:crypto";
import { decodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import type { Recipient, Refusal, TrustState, Want } from "../../xds-proxy/src/envelope/types.ts";
import { USES } from "../../xds-proxy/src/envelope/types.ts";
import { verifyNamespace, verifyRoots, verifyStatements } from "../../xds-proxy/src/envelope/verify.ts";
import { testable } from "../filter/testable.ts";
import type { CaseFile } from "./case.ts";

/** A verdict of either implementation. */
export interface Outcome {
  readonly result: string;
  readonly where?: string;
  /** Hex SHA-256 of each payload. */
  readonly payloads?: readonly string[];
  readonly state?: TrustState;
  readonly freshExpSec?: number;
  readonly expiresAtSec?: number;
}

export function runTypeScript(file: CaseFile): Outcome {
  const { pin, ns, roots, fresh, set, envelopes, nowMs, state } = file;
  const want = wantOf(file);
  const recipient = recipientOf(file);
  if (want.use === "root") {
    const verdict = verifyRoots({ pin, ns, roots, nowMs });
    return verdict.result === "ok" ? { result: "ok", payloads: [] } : refusal(verdict);
  }
  if (fresh === undefined && set === undefined) {
    const verdict = verifyStatements({ pin, ns, roots, envelopes, want, nowMs, recipient });
    return verdict.result === "ok" ? { result: "ok", payloads: hashes(verdict.payloads) } : refusal(verdict);
  }
  const verdict = verifyNamespace({ pin, ns, roots, fresh, set, envelopes, want, nowMs, state, recipient });
  if (verdict.result !== "ok") return refusal(verdict);
  const { payloads, next, freshExpSec, expiresAtSec } = verdict;
  return { result: "ok", payloads: hashes(payloads), state: next, freshExpSec, expiresAtSec };
}

export function runFilter(file: CaseFile): Outcome {
  return callFilter("verifyCase", file) as Outcome;
}

/** The pure verdict, and beside it the first fault of the clock or the state (docs/envelope.md section 8.1). */
export interface DeferredOutcome extends Outcome {
  readonly time: { readonly result: string; readonly where?: string };
}

export function runFilterDeferred(file: CaseFile): DeferredOutcome {
  return callFilter("verifyCaseDeferred", file) as DeferredOutcome;
}

function callFilter(name: string, file: CaseFile): unknown {
  const text = testable().call((memory) => {
    const { ptr, length } = memory.putText(JSON.stringify(file));
    return memory.takeString(testable().fn(name)(ptr, length));
  });
  return JSON.parse(text) as unknown;
}

/** What a case file says about the outcome: `payloads` and `state` where it names them. */
export function agrees({ expect }: CaseFile, outcome: Outcome): boolean {
  if (expect.result === "refused") return outcome.result !== "ok";
  if (expect.result !== "ok") return outcome.result === expect.result;
  const { payloads, state } = expect;
  if (outcome.result !== "ok" || JSON.stringify(outcome.payloads) !== JSON.stringify(payloads)) return false;
  return state === undefined || JSON.stringify(sorted(outcome.state)) === JSON.stringify(sorted(state));
}

function sorted(state: TrustState | undefined): unknown {
  return state && Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1));
}

function refusal({ result, where }: Refusal): Outcome {
  return { result, where };
}

function hashes(payloads: readonly { readonly data: Uint8Array }[]): readonly string[] {
  return payloads.map(({ data }) => createHash("sha256").update(data).digest("hex"));
}

function wantOf({ want }: CaseFile): Want {
  const use = USES.find((name) => name === want.use);
  if (use === undefined) throw new Error(`a case wants the use ${want.use}`);
  return { ...want, use };
}

function recipientOf({ recipient }: CaseFile): Recipient | undefined {
  if (recipient === undefined) return undefined;
  const { privateKey, auth } = recipient;
  return { key: ExchangeKey.fromRaw(decodeBase64Url(privateKey)), auth: decodeBase64Url(auth) };
}
