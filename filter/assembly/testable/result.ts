/** Bytes that a call leaves for the tests, besides what it returns. */
import { View } from "../bytes/view";

let result = View.empty();

export function setResult(bytes: View): void {
  result = bytes;
}

export function wireResultPtr(): usize {
  return result.ptr;
}

export function wireResultLength(): i32 {
  return result.length;
}
