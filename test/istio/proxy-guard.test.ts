/** The control-plane profile on the real thing: a Guard of a sidecar, whose routes are in its listener. */
import { besiege } from "./guard-siege.ts";

besiege("sidecar");
