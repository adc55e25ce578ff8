// Memory shared with the host. The host asks `malloc` for every buffer that it returns; such a buffer is a pinned managed
// block, and `HostReply` hands it to the garbage collector exactly once. Nothing else here or above frees anything.
//
// The collector runs between callbacks only, when nothing is alive but what globals reach. It then needs no record of what
// functions hold, which would be half of the module's code.
import { View } from "../bytes/view";
import { Status } from "./types";

/** Out-pointers of the host call in progress: data, length, and one 8-byte number. */
const OUT: usize = memory.data(16, 8);
export const OUT_DATA: usize = OUT;
export const OUT_LENGTH: usize = OUT + 4;
export const OUT_NUMBER: usize = OUT + 8;

const GARBAGE_MAX_BYTES: i32 = 4194304;
/** More than a callback leaves behind besides the host's buffers. */
const GARBAGE_PER_CALLBACK_BYTES: i32 = 4096;
let garbageBytes: i32 = 0;
/** A configuration was taken since the last collection. */
let isDue: bool = false;

/** For the host; exported under the name that hosts look for. */
export function malloc(size: i32): usize {
  garbageBytes += size;
  return __pin(__new(<usize>size, idof<ArrayBuffer>()));
}

/** The last thing that a callback on a request does: collects when much has piled up. */
export function collectGarbage(): void {
  garbageBytes += GARBAGE_PER_CALLBACK_BYTES;
  if (garbageBytes >= GARBAGE_MAX_BYTES) collect();
}

/** The last thing that taking a configuration does. It has blocked the worker for long enough: what it leaves behind, half as
 *  much work again, is for the next tick, or for the next configuration to begin with. */
export function collectGarbageLater(): void {
  isDue = true;
}

/** The last thing that a tick and the first thing that a configuration does. */
export function collectGarbageDue(): void {
  if (isDue) collect();
  else collectGarbage();
}

function collect(): void {
  garbageBytes = 0;
  isDue = false;
  __collect();
}

/** Readies the out-pointers, so that a host that fails without writing leaves nothing of an earlier call. */
export function clearOut(): void {
  store<u64>(OUT_DATA, 0);
  store<u64>(OUT_NUMBER, 0);
}

export function outU32(): u32 {
  return load<u32>(OUT_NUMBER);
}

export function outU64(): u64 {
  return load<u64>(OUT_NUMBER);
}

/** Two numbers of a WASI call. */
@final
export class Sizes {
  constructor(
    readonly count: i32,
    readonly size: i32,
  ) {}
}

export function outSizes(): Sizes {
  const sizes = new Sizes(load<i32>(OUT_DATA), load<i32>(OUT_LENGTH));
  clearOut();
  return sizes;
}

/** Status and, when that is Ok, the bytes of one host call. */
@final
export class HostReply {
  readonly bytes: View = takeOut();

  /** @param status of the call that `clearOut` preceded */
  constructor(readonly status: Status) {}

  get ok(): bool {
    return this.status == Status.Ok;
  }
}

/** The buffer that the host has left, from now on the garbage collector's. */
function takeOut(): View {
  const data = <usize>load<u32>(OUT_DATA);
  const length = load<i32>(OUT_LENGTH);
  store<u64>(OUT_DATA, 0);
  if (data == 0) return View.empty();
  __unpin(data);
  return new View(data, length, changetype<ArrayBuffer>(data));
}

/** Little-endian u32 at `offset`; traps outside the view, which is a bug of the caller. */
export function u32At(view: View, offset: i32): u32 {
  if (offset < 0 || offset > view.length - 4) unreachable();
  return load<u32>(view.ptr + <usize>offset);
}

/** Overwrites secret bytes that the host wrote for us. */
export function wipe(view: View): void {
  memory.fill(view.ptr, 0, <usize>view.length);
}
