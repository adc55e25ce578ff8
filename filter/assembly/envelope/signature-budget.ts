/** How many signatures one verification may still look at (docs/envelope.md section 8): what a worker that takes an update is
 *  blocked by, whoever signed them. */
import { SIGNATURES_MAX_COUNT } from "../gen/limits";

@final
export class SignatureBudget {
  private left: i32 = SIGNATURES_MAX_COUNT;

  /** Takes `count` off; false when that is more than there is. */
  take(count: i32): bool {
    this.left -= count;
    return this.left >= 0;
  }
}
