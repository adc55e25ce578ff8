/** Entry of testable.wasm: what the tests call directly. Never part of the shipped filter. */
import "./abi/abort";

export * from "./testable/memory";
export * from "./testable/crypto";
export * from "./testable/wire";
export * from "./testable/envelope";
export * from "./testable/parsers";
export * from "./testable/policy";
export * from "./testable/ids";
