/** Decimal u64 texts: no sign, no leading zero, at most 2^64-1. */

const U64_MAX = (1n << 64n) - 1n;

export function isU64Text(text: string): boolean {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text)) return false;
  return text.length < 20 || BigInt(text) <= U64_MAX;
}

/** Orders two u64 texts by their value. */
export function compareU64(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
