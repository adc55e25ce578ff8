import { BlockList, isIPv4, isIPv6, type IPVersion } from "node:net";

export interface SocketAddress {
  readonly ip: string;
  /** -1 when there is none. */
  readonly port: number;
}

/** `10.1.2.3:80`, `[2001:db8::1]:80`, or an address without port; undefined for anything else. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(text) ?? [];
  const ip = (bracketed ?? bare ?? text).replace(/%.*$/s, "");
  if (!isIPv4(ip) && !isIPv6(ip)) return undefined;
  const isPort = port !== undefined && /^(?:0|[1-9][0-9]*)$/.test(port) && Number(port) <= 65535;
  return { ip, port: isPort ? Number(port) : -1 };
}

/** Whether an address lies in a block or is an address. IPv4 and IPv4-mapped IPv6 are different. */
export function isInBlock(ip: string, block: string): boolean {
  const [address = "", bits] = block.split("/");
  const version = versionOf(ip);
  if (version !== versionOf(address)) return false;
  const list = new BlockList();
  list.addSubnet(address, bits === undefined ? (version === "ipv4" ? 32 : 128) : Number(bits), version);
  return list.check(ip, version);
}

function versionOf(ip: string): IPVersion {
  return isIPv4(ip) ? "ipv4" : "ipv6";
}
