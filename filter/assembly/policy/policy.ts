// A validated AuthorizationPolicy as plain data. Views point into the payload it was read from.
import { View } from "../bytes/view";

export enum Action {
  Allow = 0,
  Deny = 1,
  Audit = 2,
}

/** What a condition looks at. */
export enum Field {
  Principal = 0,
  RequestPrincipal = 1,
  Namespace = 2,
  ServiceAccount = 3,
  TrustDomain = 4,
  RemoteIp = 5,
  Host = 6,
  Port = 7,
  Method = 8,
  Path = 9,
  Header = 10,
  Audience = 11,
  Presenter = 12,
  ClaimPath = 13,
  DestinationIp = 14,
  Sni = 15,
}

/** Holds when one of `values` matches (or there are none) and none of `notValues` does. */
@final
export class Condition {
  values: View[] = [];
  notValues: View[] = [];

  constructor(
    readonly field: Field,
    /** Header: its name as written. ClaimPath: the member names. Else empty. */
    readonly names: View[],
  ) {}
}

/** Holds when every `when` holds, and all conditions of one source (if there are any), and of one operation (likewise). */
@final
export class Rule {
  sources: Condition[][] = [];
  operations: Condition[][] = [];
  when: Condition[] = [];
}

@final
export class Policy {
  namespace: View = View.empty();
  name: View = View.empty();
  action: Action = Action.Allow;
  dryRun: bool = false;
  selectorNames: View[] = [];
  selectorValues: View[] = [];
  rules: Rule[] = [];
}
