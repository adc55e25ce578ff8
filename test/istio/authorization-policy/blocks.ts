/** Addresses inside a CIDR block and just outside. */
import { isIPv6 } from "node:net";

interface Block {
  readonly bytes: readonly number[];
  readonly bits: number;
}

export function addressesInside(text: string): readonly string[] {
  const block = parseBlock(text);
  return [spell(block.bytes), spell(withHostBits(block))];
}

/** The last bit that counts is another one; IPv4 in IPv6's clothes and the reverse. */
export function addressesOutside(text: string): readonly string[] {
  const block = parseBlock(text);
  const [only] = block.bytes.length === 4 ? [`::ffff:${spell(block.bytes)}`] : ["10.0.0.1"];
  if (block.bits === 0) return [only];
  return [spell(flip(block.bytes, block.bits - 1)), spell(flip(withHostBits(block), block.bits - 1)), only];
}

function parseBlock(text: string): Block {
  const [address = "", bits] = text.split("/");
  const bytes = isIPv6(address) ? parseIpv6(address) : address.split(".").map(Number);
  return { bytes, bits: bits === undefined ? bytes.length * 8 : Number(bits) };
}

function parseIpv6(text: string): readonly number[] {
  // A URL spells it in hexadecimal groups only.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const groups = (part: string): readonly string[] => (part === "" ? [] : part.split(":"));
  const [front, back] = [groups(head), groups(tail ?? "")];
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - front.length - back.length }, () => "0");
  return [...front, ...middle, ...back].flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
}

function withHostBits({ bytes, bits }: Block): readonly number[] {
  return bytes.map((byte, i) => byte | (255 >> Math.min(8, Math.max(0, bits - i * 8))));
}

function flip(bytes: readonly number[], bit: number): readonly number[] {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (128 >> (bit & 7)) : byte));
}

function spell(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return groups.join(":");
}
