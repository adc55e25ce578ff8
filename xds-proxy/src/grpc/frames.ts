/**
 * Messages in pieces on their way into grpc-js. Its server copies what a serializer returns into a frame of its own before it
 * does anything else, so that one scratch buffer serves all responses: a fresh one of some megabytes costs as much as hashing
 * it, and a garbage collection sooner. Its client may keep what it gets.
 */

/** A message in pieces. */
export type Parts = readonly Uint8Array[];

/** What is larger gets memory of its own, which is given back. */
const SCRATCH_MAX_BYTES = 16 * 1024 * 1024;

let scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** A client's serializer. */
export function requestBytes(parts: Parts): Buffer {
  const [first] = parts;
  return first && parts.length === 1
    ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
    : Buffer.concat(parts);
}

/** A server's serializer. @returns bytes that the next call may overwrite */
export function responseBytes(parts: Parts): Buffer {
  if (parts.length === 1) return requestBytes(parts);
  const target = room(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target.subarray(0, at);
}

export function lengthOf(parts: Parts): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function room(lengthBytes: number): Buffer {
  if (lengthBytes > SCRATCH_MAX_BYTES) return Buffer.allocUnsafeSlow(lengthBytes);
  if (lengthBytes > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.min(SCRATCH_MAX_BYTES, lengthBytes * 2));
  return scratch;
}
