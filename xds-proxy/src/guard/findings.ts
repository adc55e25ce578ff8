/** Collects what is wrong, once each. */
import type { Clause } from "./clauses.ts";
import type { GuardFinding } from "./types.ts";

export class Findings {
  readonly #all = new Map<string, GuardFinding>();

  get all(): readonly GuardFinding[] {
    return [...this.#all.values()];
  }

  add(clause: Clause, where: string, reason: string): void {
    this.#all.set(`${clause} ${where} ${reason}`, { clause, where, reason });
  }

  unless(holds: boolean, clause: Clause, where: string, reason: string): void {
    if (!holds) this.add(clause, where, reason);
  }

  /** Runs a check that reads untrusted bytes; what it cannot read is a finding, never an exception. */
  reading(where: string, check: () => void): void {
    try {
      check();
    } catch (error) {
      this.add("undecodable", where, error instanceof Error ? error.message : String(error));
    }
  }
}
