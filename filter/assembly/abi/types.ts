// Constants of Proxy-Wasm ABI v0.2.1 ("Types"), the subset that this filter uses.

/** What a host call returns. A number that is not listed here is a failure like every other. */
export enum Status {
  Ok = 0,
  NotFound = 1,
  BadArgument = 2,
  SerializationFailure = 3,
  ParseFailure = 4,
  InvalidMemoryAccess = 6,
  Empty = 7,
  CasMismatch = 8,
  InternalFailure = 10,
  Unimplemented = 12,
}

export enum LogLevel {
  Debug = 1,
  Info = 2,
  Warn = 3,
  Error = 4,
}

export enum BufferType {
  PluginConfiguration = 7,
}

export enum HeaderMapType {
  RequestHeaders = 0,
}

export enum MetricType {
  Counter = 0,
  Gauge = 1,
}

export enum Action {
  Continue = 0,
  Pause = 1,
}
