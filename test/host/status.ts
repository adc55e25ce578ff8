/** Statuses of Proxy-Wasm ABI v0.2.1 that host calls return. */
export const Status = {
  ok: 0,
  notFound: 1,
  badArgument: 2,
  serializationFailure: 3,
  parseFailure: 4,
  badExpression: 5,
  invalidMemoryAccess: 6,
  empty: 7,
  casMismatch: 8,
  resultMismatch: 9,
  internalFailure: 10,
  brokenConnection: 11,
  unimplemented: 12,
} as const;

/** Names of Envoy's log levels. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "critical"] as const;
