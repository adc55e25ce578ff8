/** Fields of an object that differ between two states of it: the leaves, with their paths. Lists are compared as a whole. */
import { isRecord } from "../bytes/record.ts";

export interface FieldChange {
  /** Such as `spec.vmConfig.env`. */
  readonly path: string;
  /** Undefined where it is not there. */
  readonly before?: unknown;
  readonly after?: unknown;
}

export function changedFields(before: unknown, after: unknown, path = ""): readonly FieldChange[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => changedFields(before[name], after[name], path === "" ? name : `${path}.${name}`));
  }
  // One that comes or goes with everything in it: all its leaves do.
  if (before === undefined && isFilled(after)) return changedFields({}, after, path);
  if (after === undefined && isFilled(before)) return changedFields(before, {}, path);
  if (canonical(before) === canonical(after)) return [];
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

function isFilled(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length > 0;
}

/** The order of members means nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
