/**
 * How many signatures one verification may still look at (docs/envelope.md section 8): what a worker that takes an update is
 * blocked by, whoever signed them.
 */
import { SIGNATURES_MAX_COUNT } from "../gen/limits.ts";
import { refuse } from "./refusal.ts";

export class SignatureBudget {
  #left = SIGNATURES_MAX_COUNT;

  /** @throws VerifyError SIZE. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) refuse("SIZE", `more than ${SIGNATURES_MAX_COUNT} signatures`);
  }
}
