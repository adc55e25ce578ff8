// The host functions of WASI preview 1 that this filter imports: the file's name is the import's module.

export declare function environ_sizes_get(outCount: usize, outSize: usize): i32;

export declare function environ_get(outPointers: usize, outText: usize): i32;
