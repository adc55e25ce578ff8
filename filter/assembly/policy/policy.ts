import { View } from "../bytes/view";

/** A validated AuthorizationPolicy. */
@final
export class Policy {
  constructor(
    readonly namespace: View,
    readonly name: View,
  ) {}
}
