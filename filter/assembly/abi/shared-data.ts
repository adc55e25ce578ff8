// Shared data of Proxy-Wasm ABI v0.2.1: a map that all VMs with the same vm_id see, with compare-and-swap.
import { View } from "../bytes/view";
import * as host from "./env";
import { clearOut, HostReply, OUT_DATA, OUT_LENGTH, OUT_NUMBER, outU32 } from "./memory";
import { Status } from "./types";

/** The value under a key and the number that a swap of just this value needs. */
@final
export class SharedValue {
  constructor(
    readonly reply: HostReply,
    readonly cas: u32,
  ) {}
}

export function getShared(key: View): SharedValue {
  clearOut();
  const status = host.proxy_get_shared_data(key.ptr, key.length, OUT_DATA, OUT_LENGTH, OUT_NUMBER);
  const cas = outU32();
  return new SharedValue(new HostReply(status), status == Status.Ok ? cas : 0);
}

/** `CasMismatch` when somebody else was faster; `cas` 0 writes whatever is there. */
export function setShared(key: View, value: View, cas: u32): Status {
  return host.proxy_set_shared_data(key.ptr, key.length, value.ptr, value.length, cas);
}
