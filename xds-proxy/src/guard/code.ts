/** Code beside the filter: what of it the owner has listed. */
import { createHash } from "node:crypto";
import type { Unpacked } from "./unpack.ts";
import type { Guard } from "./types.ts";

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @param name - of the filter, the access logger or the extension that holds it */
export function isListedCode({ code }: Guard, name: string, { type, bytes }: Unpacked): boolean {
  const candidates = code.filter((entry) => entry.name === name && (entry.typeUrl ?? type) === type);
  return candidates.length > 0 && candidates.some(({ sha256 }) => sha256.includes(sha256Hex(bytes)));
}
