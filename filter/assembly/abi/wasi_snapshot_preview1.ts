// The host functions of WASI preview 1 that this filter imports: the file's name is the import's module.

export declare function environ_sizes_get(outCount: usize, outSize: usize): i32;

export declare function environ_get(outPointers: usize, outText: usize): i32;

/** @param clock 0 for real time, nanoseconds since 1970 */
export declare function clock_time_get(clock: i32, precision: i64, outTime: usize): i32;
