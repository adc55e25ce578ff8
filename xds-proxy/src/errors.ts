/**
 * Every error that leaves a module of wpgate: one class for each cause, one row for how each boundary shows it.
 *
 * A refusal of an envelope is a value where it is expected (`envelope/verify.ts`); these classes carry what is thrown.
 */
import type { Code } from "./gen/codes.ts";

export type ParseErrorCode =
  "BASE64URL" | "JSON" | "PROTOBUF" | "PEM" | "KEY" | "CONTENT_ENCODING" | "VAPID" | "DOCUMENT";
export type UpstreamErrorCode =
  | "UNAVAILABLE"
  | "TIMEOUT"
  | "PROTOCOL"
  | "SIGNER"
  | "LOGIN"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "NOT_SERVED"
  | "CONFLICT"
  | "CHANGED"
  | "DENIED"
  | "EXHAUSTED";
export type ErrorCode = Code | ParseErrorCode | UpstreamErrorCode | "LIMIT" | "CONFIG" | "INTERNAL";

export interface ErrorDetails {
  readonly cause?: unknown;
  /** The part of the input that is at fault, such as `envelopes[3]`. */
  readonly where?: string;
  /** What a person can do about it, where that depends on more than the code. */
  readonly hint?: string;
}

/** What all errors of wpgate have in common. */
export abstract class WpgateError<C extends ErrorCode = ErrorCode> extends Error {
  abstract override readonly name: ErrorName;
  readonly code: C;
  readonly where: string;
  readonly hint: string | undefined;

  constructor(code: C, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where ?? "";
    this.hint = details.hint;
  }
}

/** Malformed bytes. */
export class ParseError extends WpgateError<ParseErrorCode> {
  override readonly name = "ParseError";
}

/** Over a bound. */
export class LimitError extends WpgateError<"LIMIT"> {
  override readonly name = "LimitError";

  constructor(message: string, details?: ErrorDetails) {
    super("LIMIT", message, details);
  }
}

/** Not authentic, stale or replayed; `code` is one of proto/codes.json. */
export class VerifyError extends WpgateError<Code> {
  override readonly name = "VerifyError";
}

/** A peer or the network. */
export class UpstreamError extends WpgateError<UpstreamErrorCode> {
  override readonly name = "UpstreamError";
}

/** One thing that an operator has to change: where, as a JSON path or a file name, and what is wrong there. */
export interface ConfigFault {
  readonly path: string;
  readonly message: string;
}

/** What the operator gave; lists all faults at once. */
export class ConfigError extends WpgateError<"CONFIG"> {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[], details?: ErrorDetails) {
    super("CONFIG", faults.map((fault) => `${fault.path}: ${fault.message}`).join("; "), details);
    this.faults = faults;
  }
}

/** A bug of wpgate. */
export class InternalError extends WpgateError<"INTERNAL"> {
  override readonly name = "InternalError";

  constructor(message: string, details?: ErrorDetails) {
    super("INTERNAL", message, details);
  }
}

export type ErrorName = "ParseError" | "LimitError" | "VerifyError" | "UpstreamError" | "ConfigError" | "InternalError";

/** Of anything that was thrown: what is not wpgate's own is a bug of it. */
export function codeOf(thrown: unknown): ErrorCode {
  return thrown instanceof WpgateError ? (thrown as WpgateError).code : "INTERNAL";
}

export interface ErrorRow {
  readonly grpcStatus: string;
  readonly httpStatus: number;
  readonly exitCode: 1 | 2 | 3;
  readonly retry: boolean;
  readonly logLevel: "debug" | "warn" | "error";
}

/** How a boundary answers, by class. A `ConfigError` ends the program before any peer is served. */
export const ERROR_TABLE: Readonly<Record<ErrorName, ErrorRow>> = {
  ParseError: { grpcStatus: "INVALID_ARGUMENT", httpStatus: 400, exitCode: 1, retry: false, logLevel: "debug" },
  LimitError: { grpcStatus: "RESOURCE_EXHAUSTED", httpStatus: 413, exitCode: 1, retry: false, logLevel: "warn" },
  VerifyError: { grpcStatus: "UNAUTHENTICATED", httpStatus: 401, exitCode: 1, retry: false, logLevel: "warn" },
  UpstreamError: { grpcStatus: "UNAVAILABLE", httpStatus: 503, exitCode: 1, retry: true, logLevel: "warn" },
  ConfigError: { grpcStatus: "FAILED_PRECONDITION", httpStatus: 500, exitCode: 2, retry: false, logLevel: "error" },
  InternalError: { grpcStatus: "INTERNAL", httpStatus: 500, exitCode: 3, retry: false, logLevel: "error" },
};
