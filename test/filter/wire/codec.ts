// Calls of the wire codecs in testable.wasm.
import { testable } from "../testable.ts";

type Call = (bytes: Uint8Array) => Uint8Array | undefined;

/** Whether and to what a codec decodes; undefined is a refusal. */
function decoder(name: string, ...options: number[]): Call {
  return (bytes) => {
    const wasm = testable();
    return wasm.call((memory) => {
      const accepted = wasm.fn(name)(memory.put(bytes), bytes.length, ...options);
      return accepted === 1 ? memory.take(wasm.fn("wireResultPtr")(), wasm.fn("wireResultLength")()) : undefined;
    });
  };
}

function predicate(name: string): (bytes: Uint8Array) => boolean {
  return (bytes) => {
    const wasm = testable();
    return wasm.call((memory) => wasm.fn(name)(memory.put(bytes), bytes.length) === 1);
  };
}

/** The value of strict JSON in one spelling. */
export const respellJson: Call = decoder("wireParseJson", 1);
export const respellJsonWithoutNegatives: Call = decoder("wireParseJson", 0);
export const decodeBase64Url: Call = decoder("wireDecodeBase64Url");
export const isUtf8: (bytes: Uint8Array) => boolean = predicate("wireIsUtf8");
export const isU64: (bytes: Uint8Array) => boolean = predicate("wireIsU64");

export function encodeBase64Url(bytes: Uint8Array): string {
  const wasm = testable();
  return wasm.call((memory) => {
    wasm.fn("wireEncodeBase64Url")(memory.put(bytes), bytes.length);
    return new TextDecoder().decode(memory.take(wasm.fn("wireResultPtr")(), wasm.fn("wireResultLength")()));
  });
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
