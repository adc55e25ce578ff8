// The VM's environment (WASI preview 1 `environ_get`), which may hold a private key: what is not returned is wiped.
import { View } from "../bytes/view";
import { clearOut, OUT_DATA, OUT_LENGTH, outSizes, wipe } from "./memory";
import { Status } from "./types";
import * as wasi from "./wasi_snapshot_preview1";

const ENVIRONMENT_MAX_BYTES: i32 = 1048576;
const ENVIRONMENT_MAX_COUNT: i32 = 4096;

@final
export class Variable {
  constructor(
    /** `NotFound`: there is no such variable. */
    readonly status: Status,
    /** A copy, for the caller to wipe. */
    readonly value: View,
  ) {}
}

export function readVariable(name: string): Variable {
  clearOut();
  if (wasi.environ_sizes_get(OUT_DATA, OUT_LENGTH) != 0) return unreadable();
  const sizes = outSizes();
  if (sizes.count < 0 || sizes.count > ENVIRONMENT_MAX_COUNT || sizes.size < 0 || sizes.size > ENVIRONMENT_MAX_BYTES)
    return unreadable();
  const pointers = new Uint8Array(sizes.count * 4);
  const bytes = View.of(new Uint8Array(sizes.size));
  const failed = wasi.environ_get(pointers.dataStart, bytes.ptr) != 0;
  const variable = failed ? unreadable() : find(bytes, View.utf8(name + "="));
  wipe(bytes);
  return variable;
}

function unreadable(): Variable {
  return new Variable(Status.InternalFailure, View.empty());
}

/** `bytes`: `NAME=value` texts, each with a NUL after it. */
function find(bytes: View, prefix: View): Variable {
  let start = 0;
  while (start < bytes.length) {
    const nul = bytes.indexOf(0, start);
    const text = bytes.slice(start, nul < 0 ? bytes.length : nul);
    if (text.startsWith(prefix)) return new Variable(Status.Ok, text.slice(prefix.length, text.length).copy());
    start += text.length + 1;
  }
  return new Variable(Status.NotFound, View.empty());
}
