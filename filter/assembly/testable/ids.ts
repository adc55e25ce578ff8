/** The set of live streams, for the tests. */
import { IdSet } from "../plugin/id-set";

let ids = new IdSet();

export function idsReset(): void {
  ids = new IdSet();
}

export function idsAdd(id: u32): void {
  ids.add(id);
}

export function idsHas(id: u32): bool {
  return ids.has(id);
}

export function idsDelete(id: u32): bool {
  return ids.delete(id);
}
