import type { JsonObject, JsonValue } from "../bytes/json.ts";
import type { PolicyFault } from "./types.ts";

/** A value and its JSON path. */
export interface Place {
  readonly value: JsonValue;
  readonly where: string;
}

/** Collects what is wrong with a document, in the order in which it is found. */
export class Faults {
  readonly all: PolicyFault[] = [];

  payload(where: string, message: string): void {
    this.all.push({ code: "PAYLOAD", where, message });
  }

  unsupported(where: string, message: string): void {
    this.all.push({ code: "UNSUPPORTED", where, message });
  }

  unless(holds: boolean, where: string, message: string): void {
    if (!holds) this.payload(where, message);
  }

  object({ value, where }: Place): JsonObject | undefined {
    if (value instanceof Map) return value;
    this.payload(where, "must be an object");
    return undefined;
  }

  /** The items of an array; none of anything else. */
  items({ value, where }: Place): readonly Place[] {
    if (isArray(value)) return value.map((item, index) => ({ value: item, where: `${where}[${index}]` }));
    this.payload(where, "must be a list");
    return [];
  }
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
