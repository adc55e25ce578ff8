// One function per host function of Proxy-Wasm ABI v0.2.1, with views for (pointer, length) and statuses as values.
import { View } from "../bytes/view";
import * as host from "./env";
import { clearOut, HostReply, OUT_DATA, OUT_LENGTH, OUT_NUMBER, outU64 } from "./memory";
import { BufferType, HeaderMapType, LogLevel, Status } from "./types";
import * as wasi from "./wasi_snapshot_preview1";

/** WASI's `realtime`, and its success. */
const REAL_TIME: i32 = 0;
const WASI_SUCCESS: i32 = 0;

export function log(level: LogLevel, message: string): Status {
  const text = View.utf8(message);
  return host.proxy_log(level, text.ptr, text.length);
}

export function setTickPeriodMs(periodMs: i32): Status {
  return host.proxy_set_tick_period_milliseconds(periodMs);
}

/** Milliseconds since 1970, or -1 when the host has no clock for us. WASI's clock, which more hosts have than Proxy-Wasm's own. */
export function nowMs(): i64 {
  return readClock() ? <i64>(outU64() / 1_000_000) : -1;
}

/** Nanoseconds of the same clock, for durations; 0 when there is none. */
export function clockNs(): u64 {
  return readClock() ? outU64() : 0;
}

function readClock(): bool {
  clearOut();
  return wasi.clock_time_get(REAL_TIME, 1, OUT_NUMBER) == WASI_SUCCESS;
}

export function getBuffer(type: BufferType, length: i32): HostReply {
  clearOut();
  return new HostReply(host.proxy_get_buffer_bytes(type, 0, length, OUT_DATA, OUT_LENGTH));
}

/** The serialised pairs that `HeaderBlock` reads. */
export function getHeaderPairs(type: HeaderMapType): HostReply {
  clearOut();
  return new HostReply(host.proxy_get_header_map_pairs(type, OUT_DATA, OUT_LENGTH));
}

/** @param path the segments, joined by NUL */
export function getProperty(path: View): HostReply {
  clearOut();
  return new HostReply(host.proxy_get_property(path.ptr, path.length, OUT_DATA, OUT_LENGTH));
}

/** Envoy keeps the value as filter state `wasm.` + `path`. */
export function setProperty(path: View, value: View): Status {
  return host.proxy_set_property(path.ptr, path.length, value.ptr, value.length);
}

/** A map without pairs, as hosts read it: its count. */
const NO_HEADERS: usize = memory.data(4);
const NO_HEADERS_BYTES: i32 = 4;

/** Answers the request with an empty body; `details` reaches access logs only. */
export function sendLocalResponse(status: i32, details: View): Status {
  return host.proxy_send_local_response(status, details.ptr, details.length, 0, 0, NO_HEADERS, NO_HEADERS_BYTES, -1);
}

export function callForeignFunction(name: View, argument: View): HostReply {
  clearOut();
  return new HostReply(
    host.proxy_call_foreign_function(name.ptr, name.length, argument.ptr, argument.length, OUT_DATA, OUT_LENGTH),
  );
}
