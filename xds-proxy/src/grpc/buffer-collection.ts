/**
 * Gives the memory of large messages back while nobody waits. V8 counts buffers as memory outside of its heap and marks the whole
 * heap for every 64 MiB of them, which takes as long as a push and happens during one. They die young: a collection of the
 * young generation, which takes a millisecond, is all that is needed, if it comes in time.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Of messages since the last collection. */
const AFTER_BYTES = 4 * 1024 * 1024;
/** A push of some megabytes is on its way to the other side by then, and answered. */
const QUIET_MS = 25;

type Collect = (options: { readonly type: "minor" }) => void;

let collect: Collect | undefined;
let passedBytes = 0;
let timer: NodeJS.Timeout | undefined;

/** To be called for each message, with what it has brought about. */
export function notePassed(lengthBytes: number): void {
  passedBytes += lengthBytes;
  if (passedBytes < AFTER_BYTES) return;
  timer ??= setTimeout(() => {
    timer = undefined;
    passedBytes = 0;
    collect ??= exposed();
    collect({ type: "minor" });
  }, QUIET_MS).unref();
}

function exposed(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
