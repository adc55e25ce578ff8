/** What a long-running signer knows about itself: for metrics, for probes. */
import type { Probe } from "../http/operations.ts";
import type { FreshSummary } from "../owner/bundle-summary.ts";
import type { Attempt } from "./online-signer.ts";

/** A part of its life that a fresh statement must have left: time enough for people to look. */
const HEALTHY_PART = 4;

export class SignerHealth {
  renewalsCount: number = 0;
  readonly failures: Map<string, number> = new Map();
  lastSuccessMs: number | undefined;
  setVer: string | undefined;
  fresh: FreshSummary | undefined;
  #ready = false;

  succeeded({ renewed, setVer, fresh }: Attempt, nowMs: number): void {
    if (renewed) this.renewalsCount++;
    this.lastSuccessMs = nowMs;
    this.setVer = setVer;
    this.fresh = fresh;
    this.#ready = true;
  }

  failed(code: string): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    this.#ready = false;
  }

  /** 0 when nothing is known, or it has run out. */
  expiresInSec(nowMs: number): number {
    return this.fresh === undefined ? 0 : Math.max(0, this.fresh.expSec - Math.trunc(nowMs / 1000));
  }

  /** Whether the set stays fresh for the time that is needed to repair something. Before anything was read nobody knows, and
   *  to start again would not help. */
  healthy(nowMs: number): Probe {
    if (this.fresh === undefined) return { ok: true, reason: "nothing was read yet" };
    const { iatSec, expSec } = this.fresh;
    const leftSec = this.expiresInSec(nowMs);
    return { ok: leftSec * HEALTHY_PART >= expSec - iatSec, reason: `fresh for ${leftSec} s` };
  }

  /** Whether the last attempt went well. */
  ready(): Probe {
    return { ok: this.#ready, reason: this.#ready ? "ready" : "the last attempt failed, or there was none" };
  }
}
