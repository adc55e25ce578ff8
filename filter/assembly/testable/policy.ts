import { View } from "../bytes/view";
import { parsePolicy } from "../policy/parse";
import { PolicySet } from "../policy/set";
import { Knobs, Node } from "../policy/types";

export function policyCode(ptr: usize, length: i32): i32 {
  const set = PolicySet.compile([], new Node(View.empty(), View.empty(), View.empty(), [], []), new Knobs(true, true));
  return parsePolicy(new View(ptr, length)).code + set.attributes;
}
