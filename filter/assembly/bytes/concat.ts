import { View } from "./view";

/** The parts one after the other, in a fresh buffer. */
export function concat(parts: View[]): View {
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += parts[i].length;
  const out = new Uint8Array(length);
  let to = out.dataStart;
  for (let i = 0; i < parts.length; i++) {
    memory.copy(to, parts[i].ptr, <usize>parts[i].length);
    to += <usize>parts[i].length;
  }
  return View.of(out);
}
