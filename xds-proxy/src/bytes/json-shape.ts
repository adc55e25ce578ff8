/** Typed access to strict JSON: each function returns what it names or throws ParseError DOCUMENT with the path. */
import { ParseError } from "../errors.ts";
import { isJsonArray } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** A value and the path that leads to it, for messages. */
export interface Located {
  readonly value: JsonValue | undefined;
  readonly path: string;
}

export function asObject({ value, path }: Located): JsonObject {
  return value instanceof Map ? value : wrong(path, "an object");
}

export function asArray({ value, path }: Located): readonly JsonValue[] {
  return isJsonArray(value) ? value : wrong(path, "an array");
}

export function asString({ value, path }: Located): string {
  return typeof value === "string" ? value : wrong(path, "a string");
}

export function asInteger({ value, path }: Located): number {
  return typeof value === "number" ? value : wrong(path, "an integer");
}

export function asOneOf<T extends string>({ value, path }: Located, allowed: readonly T[]): T {
  return allowed.find((text) => text === value) ?? wrong(path, `one of ${allowed.join(", ")}`);
}

export function member(object: JsonObject, name: string, path: string): Located {
  return { value: object.get(name), path: path === "" ? name : `${path}.${name}` };
}

export function items(array: readonly JsonValue[], path: string): readonly Located[] {
  return array.map((value, i) => ({ value, path: `${path}[${i}]` }));
}

/** An object with each of `required`, perhaps some of `optional`, and no other member. */
export function exactly(located: Located, required: readonly string[], optional: readonly string[] = []): JsonObject {
  const object = asObject(located);
  const missing = required.find((name) => !object.has(name));
  if (missing !== undefined) wrong(member(object, missing, located.path).path, "present");
  if (object.size > required.length) {
    const unknown = [...object.keys()].find((name) => !required.includes(name) && !optional.includes(name));
    if (unknown !== undefined) wrong(member(object, unknown, located.path).path, "a known member");
  }
  return object;
}

export function wrong(path: string, wanted: string): never {
  throw new ParseError("DOCUMENT", `${path === "" ? "the document" : path} is not ${wanted}`, { where: path });
}
