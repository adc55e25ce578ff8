/** How the stages of verification say no: one exception, caught where the verdict is made (`verify.ts`). */
import { ParseError, VerifyError } from "../errors.ts";
import type { Code } from "../gen/codes.ts";
import type { Refusal } from "./types.ts";

export function refuse(code: Code, message: string): never {
  throw new VerifyError(code, message);
}

/** Runs one stage; malformed bytes inside it are refused with `code`. */
export function parsing<T>(code: Code, stage: () => T): T {
  try {
    return stage();
  } catch (error) {
    if (error instanceof ParseError) throw new VerifyError(code, error.message, { cause: error });
    throw error;
  }
}

/** Runs the checks of one part of the input, so that a refusal names it; `rename` gives some codes another name. */
export function checking<T>(where: string, checks: () => T, rename: (code: Code) => Code = (code) => code): T {
  try {
    return checks();
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const details = { cause: error.cause, where: error.where === "" ? where : error.where };
    throw new VerifyError(rename(error.code), error.message, details);
  }
}

/** Turns a refusal into a value; every other exception is a bug and passes. */
export function verdictOf<T>(checks: () => T): T | Refusal {
  try {
    return checks();
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    return { result: error.code, where: error.where, reason: error.message };
  }
}
