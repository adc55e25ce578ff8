/** What the TypeScript implementation makes of bytes, with its refusals as values. */
import { ParseError, VerifyError } from "../../xds-proxy/src/errors.ts";
import { CODES } from "../../xds-proxy/src/gen/codes.ts";
import { Disagreement } from "./target.ts";

/** Undefined when they are malformed; every other exception is a finding. */
export function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** `OK` or a code. */
export function codeOf(read: () => unknown): string {
  try {
    read();
    return "OK";
  } catch (error) {
    if (error instanceof VerifyError) return error.code;
    throw error;
  }
}

/** The name of a number of the module's. */
export function codeName(code: number): string {
  const name = code === 0 ? "OK" : CODES[code - 1];
  if (name === undefined) throw new Disagreement(`${code} is no code`);
  return name;
}
