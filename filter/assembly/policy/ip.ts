// IP addresses, ports and blocks: dotted quads (no leading zeros), RFC 4291 texts, prefix lengths. An IPv4 address and its
// IPv4-mapped IPv6 form are different, as they are for Envoy.
import { View } from "../bytes/view";

const DOT: u8 = 0x2e;
const COLON: u8 = 0x3a;

/** 4 or 16 bytes. */
export type Address = Uint8Array;

@final
export class Cidr {
  constructor(
    readonly address: Address,
    readonly bits: i32,
  ) {}

  contains(address: Address): bool {
    if (address.length != this.address.length) return false;
    const whole = this.bits >> 3;
    for (let i = 0; i < whole; i++) if (address[i] != this.address[i]) return false;
    const rest = this.bits & 7;
    return rest == 0 || (address[whole] ^ this.address[whole]) >> (<u8>(8 - rest)) == 0;
  }
}

/** `10.0.0.0/8`, `10.1.2.3`, `2001:db8::/32`, …; bits beyond the prefix are ignored. */
export function parseCidr(text: View): Cidr | null {
  const slash = text.indexOf(0x2f);
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const most = address.length * 8;
  if (slash < 0) return new Cidr(address, most);
  const bits = parsePort(text.slice(slash + 1, text.length));
  return bits >= 0 && bits <= most ? new Cidr(address, bits) : null;
}

/** A port in its only spelling, or -1. */
export function parsePort(text: View): i32 {
  if (text.length == 0 || text.length > 5 || (text.at(0) == 0x30 && text.length > 1)) return -1;
  let port = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = <i32>text.at(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port <= 65535 ? port : -1;
}

export function parseIp(text: View): Address | null {
  return text.indexOf(COLON) < 0 ? parseIpv4(text) : parseIpv6(text);
}

/** Address and port as Envoy prints them: `10.1.2.3:80`, `[2001:db8::1]:80`; the port (and with it the brackets) may be
 *  missing. Both are null and -1 for anything else, such as the path of a socket file. */
@final
export class SocketAddress {
  readonly ip: Address | null;
  readonly port: i32;

  constructor(text: View) {
    const bracket = text.indexOf(0x5d);
    const colon = bracket >= 0 ? text.indexOf(COLON, bracket) : soleColon(text);
    const end = colon < 0 ? text.length : colon;
    this.port = colon < 0 ? -1 : parsePort(text.slice(colon + 1, text.length));
    this.ip = parseIp(withoutZone(bracket > 0 ? text.slice(1, bracket) : text.slice(0, end)));
  }
}

function soleColon(text: View): i32 {
  const colon = text.indexOf(COLON);
  return colon >= 0 && text.indexOf(COLON, colon + 1) < 0 ? colon : -1;
}

/** `fe80::1%eth0` is `fe80::1`. */
function withoutZone(text: View): View {
  const percent = text.indexOf(0x25);
  return percent < 0 ? text : text.slice(0, percent);
}

function parseIpv4(text: View): Address | null {
  const address = new Uint8Array(4);
  return readIpv4(text, address, 0) ? address : null;
}

function readIpv4(text: View, out: Uint8Array, at: i32): bool {
  let start = 0;
  for (let i = 0; i < 4; i++) {
    const dot = text.indexOf(DOT, start);
    if (dot < 0 != (i == 3)) return false;
    const octet = parsePort(text.slice(start, dot < 0 ? text.length : dot));
    if (octet < 0 || octet > 255) return false;
    out[at + i] = <u8>octet;
    start = dot + 1;
  }
  return true;
}

function parseIpv6(text: View): Address | null {
  const address = new Uint8Array(16);
  let filled = 0;
  let gap = -1;
  let position = 0;
  if (text.length >= 2 && text.at(0) == COLON) {
    if (text.at(1) != COLON) return null;
    gap = 0;
    position = 2;
  }
  while (position < text.length) {
    if (filled == 16) return null;
    const colon = text.indexOf(COLON, position);
    const group = text.slice(position, colon < 0 ? text.length : colon);
    if (colon < 0 && group.indexOf(DOT) >= 0) {
      if (filled > 12 || !readIpv4(group, address, filled)) return null;
      filled += 4;
      break;
    }
    const value = parseHex(group);
    if (value < 0) return null;
    address[filled++] = <u8>(value >> 8);
    address[filled++] = <u8>value;
    if (colon < 0) break;
    position = colon + 1;
    if (position == text.length) return null;
    if (text.at(position) != COLON) continue;
    if (gap >= 0) return null;
    gap = filled;
    position++;
  }
  return gap < 0 ? (filled == 16 ? address : null) : spread(address, gap, filled);
}

/** Moves the groups after `::` to the end; `::` stands for at least one group. */
function spread(address: Uint8Array, gap: i32, filled: i32): Address | null {
  if (filled > 14) return null;
  const after = filled - gap;
  address.copyWithin(16 - after, gap, filled);
  address.fill(0, gap, 16 - after);
  return address;
}

/** One to four hexadecimal digits, or -1. */
function parseHex(text: View): i32 {
  if (text.length == 0 || text.length > 4) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.at(i);
    const letter = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) value = (value << 4) | (<i32>byte - 0x30);
    else if (letter >= 0x61 && letter <= 0x66) value = (value << 4) | (<i32>letter - 0x57);
    else return -1;
  }
  return value;
}
