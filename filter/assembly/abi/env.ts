// The host functions of Proxy-Wasm ABI v0.2.1 that this filter imports: the file's name is the import's module.
// Each returns a Status and gives its results through out-pointers. A test keeps the list closed.

export declare function proxy_log(level: i32, message: usize, length: i32): i32;

export declare function proxy_set_tick_period_milliseconds(period: i32): i32;

export declare function proxy_get_buffer_bytes(
  type: i32,
  start: i32,
  maxLength: i32,
  outData: usize,
  outLength: usize,
): i32;

export declare function proxy_get_header_map_pairs(type: i32, outData: usize, outLength: usize): i32;

export declare function proxy_get_property(path: usize, pathLength: i32, outData: usize, outLength: usize): i32;

export declare function proxy_set_property(path: usize, pathLength: i32, value: usize, valueLength: i32): i32;

export declare function proxy_send_local_response(
  status: i32,
  details: usize,
  detailsLength: i32,
  body: usize,
  bodyLength: i32,
  headers: usize,
  headersLength: i32,
  grpcStatus: i32,
): i32;

export declare function proxy_get_shared_data(
  key: usize,
  keyLength: i32,
  outData: usize,
  outLength: usize,
  outCas: usize,
): i32;

export declare function proxy_set_shared_data(
  key: usize,
  keyLength: i32,
  value: usize,
  valueLength: i32,
  cas: i32,
): i32;

export declare function proxy_define_metric(type: i32, name: usize, nameLength: i32, outId: usize): i32;

export declare function proxy_increment_metric(id: i32, offset: i64): i32;

export declare function proxy_record_metric(id: i32, value: i64): i32;

export declare function proxy_call_foreign_function(
  name: usize,
  nameLength: i32,
  argument: usize,
  argumentLength: i32,
  outData: usize,
  outLength: usize,
): i32;
