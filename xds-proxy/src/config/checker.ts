/**
 * Reads a value that came from outside member by member, collecting every fault with its path instead of stopping at the
 * first. Pure; the caller decides what to do with the faults.
 */
import { isRecord } from "../bytes/record.ts";
import type { ConfigFault } from "../errors.ts";

export interface TextRule {
  readonly pattern: RegExp;
  /** What a right value looks like, for the message: `a DNS label`. */
  readonly expected: string;
}

export interface IntegerRule {
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

export class Checker {
  readonly faults: ConfigFault[] = [];

  fault(path: string, message: string): void {
    this.faults.push({ path, message });
  }

  /** The value as an object that has only the members of `known`; an empty one when it is not an object. */
  object(value: unknown, path: string, known: readonly string[]): Readonly<Record<string, unknown>> {
    if (!isRecord(value)) {
      this.fault(path, "must be an object");
      return {};
    }
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) this.fault(join(path, name), `unknown member; known are ${known.join(", ")}`);
    }
    return value;
  }

  text(value: unknown, path: string, rule: TextRule): string {
    if (typeof value === "string" && rule.pattern.test(value)) return value;
    this.fault(path, value === undefined ? `missing; must be ${rule.expected}` : `must be ${rule.expected}`);
    return "";
  }

  /** The default when the value is absent. */
  integer(value: unknown, path: string, { min, max, ...rule }: IntegerRule): number {
    const given = value ?? rule.default;
    if (typeof given === "number" && Number.isInteger(given) && given >= min && given <= max) return given;
    this.fault(path, `must be a whole number from ${min} to ${max}`);
    return rule.default;
  }

  /** The first of the choices when the value is absent. */
  choice<T extends string>(value: unknown, path: string, choices: readonly [T, ...T[]]): T {
    const [first] = choices;
    const found = value === undefined ? first : choices.find((choice) => choice === value);
    if (found === undefined) this.fault(path, `must be one of ${choices.join(", ")}`);
    return found ?? first;
  }

  /** False when the value is absent. */
  flag(value: unknown, path: string): boolean {
    if (value !== undefined && typeof value !== "boolean") this.fault(path, "must be true or false");
    return value === true;
  }

  list(value: unknown, path: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    this.fault(path, "must be a list");
    return [];
  }
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
