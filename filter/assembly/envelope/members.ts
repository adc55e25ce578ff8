/** Typed access to the members of strict JSON objects. A member that is missing or of another type is null or -1. */
import { View } from "../bytes/view";
import { Json, JsonKind } from "../wire/json";

/** Whether `json` is an object with exactly these members. */
export function hasExactly(json: Json, names: string[]): bool {
  if (json.kind != JsonKind.Object || json.size != names.length) return false;
  for (let i = 0; i < names.length; i++) if (json.get(names[i]) == null) return false;
  return true;
}

export function textMember(object: Json, name: string): View | null {
  const value = object.get(name);
  return value != null && value.kind == JsonKind.String ? value.text : null;
}

/** A member that is an integer from 0 to 2^53-1, else -1. */
export function countMember(object: Json, name: string): i64 {
  const value = object.get(name);
  return value != null && value.kind == JsonKind.Integer ? value.integer : -1;
}

/** A member that is an array of at most `maxCount` items, which are made only then. */
export function arrayMember(object: Json, name: string, maxCount: i32 = i32.MAX_VALUE): Json[] | null {
  const value = object.get(name);
  return value != null && value.kind == JsonKind.Array && value.size <= maxCount ? value.items : null;
}

export function objectMember(object: Json, name: string): Json | null {
  const value = object.get(name);
  return value != null && value.kind == JsonKind.Object ? value : null;
}
