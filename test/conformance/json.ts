/** Typed access to JSON that may be of any shape. */
import { UnreadableError } from "./unreadable.ts";

export type Members = Readonly<Record<string, unknown>>;

export function members(value: unknown, what: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UnreadableError(`${what} is no object`);
  return value as Members;
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnreadableError(`${what} is no array`);
  return value as readonly unknown[];
}

export function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new UnreadableError(`${what} is no string`);
  return value;
}

export function integer(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw new UnreadableError(`${what} is no integer`);
  return Number(value);
}

export function hex(value: unknown, what: string): Uint8Array {
  const digits = text(value, what);
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new UnreadableError(`${what} is not hexadecimal`);
  return Uint8Array.from(Buffer.from(digits, "hex"));
}
