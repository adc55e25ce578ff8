/** Small operations on octet strings that the layers above share. Nothing here is constant time. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return plain(Buffer.from(text, "utf8"));
}

/** Decodes strict UTF-8, a byte order mark included; undefined for anything ill-formed. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One fresh octet string out of many. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return plain(Buffer.concat(parts));
}

/** Buffers are quicker to make, and `slice` of one means something else than that of an octet string. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

export function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Orders well-formed texts by their UTF-8 bytes, which is the order of code points and not that of `<` on strings. */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
