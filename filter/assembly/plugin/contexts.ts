// Which context belongs to which configuration. Ids come from the host; one that it has not announced is refused.
import { Action } from "../abi/types";
import { answer, answerUnknown } from "./answer";
import { IdSet } from "./id-set";
import { RootContext } from "./root-context";
import { Vm } from "./vm";

const roots = new Map<u32, RootContext>();
/** What decides their requests is the same for every root context of this VM. */
const streams = new IdSet();
let vm: Vm | null = null;

/** @param parentId 0 for a root context */
export function createContext(id: u32, parentId: u32): void {
  if (parentId == 0) roots.set(id, new RootContext(theVm()));
  else if (roots.has(parentId)) streams.add(id);
}

export function deleteContext(id: u32): void {
  if (!streams.delete(id)) roots.delete(id);
}

/** Unknown ids are accepted like every other moment's fault: requests through them are refused. */
export function configure(rootId: u32, length: i32): bool {
  return !roots.has(rootId) || roots.get(rootId).configure(length);
}

export function tick(rootId: u32): void {
  if (roots.has(rootId)) roots.get(rootId).tick();
}

export function requestHeaders(id: u32): Action {
  return streams.has(id) ? answer(theVm()) : answerUnknown();
}

function theVm(): Vm {
  let known = vm;
  if (known == null) {
    known = new Vm();
    vm = known;
  }
  return known;
}
