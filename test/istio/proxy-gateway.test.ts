/** The control-plane profile on the real thing: a Guard of a gateway, whose routes come by RDS. */
import { besiege } from "./guard-siege.ts";

besiege("gateway");
