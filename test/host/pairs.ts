/** Maps as Proxy-Wasm ABI v0.2.1 serialises them: count, lengths, then every name and value with a NUL after it. */
export type Pair = readonly [name: string, value: string | Uint8Array];

export const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === "string" ? new TextEncoder().encode(value) : value;

export function encodePairs(pairs: readonly Pair[]): Uint8Array {
  const texts = pairs.map(([name, value]) => [bytesOf(name), bytesOf(value)] as const);
  const lengths = Buffer.alloc(4 + texts.length * 8);
  lengths.writeUInt32LE(texts.length);
  texts.forEach(([name, value], i) => {
    lengths.writeUInt32LE(name.length, 4 + i * 8);
    lengths.writeUInt32LE(value.length, 8 + i * 8);
  });
  const nul = Uint8Array.of(0);
  return Buffer.concat([lengths, ...texts.flatMap(([name, value]) => [name, nul, value, nul])]);
}
