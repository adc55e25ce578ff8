/** Addresses as people write them: `host:port`, `[::1]:port`, `:port`, `unix:PATH`. */

export interface TcpAddress {
  readonly kind: "tcp";
  /** A name or an IP address, without brackets; `""` stands for all addresses of the machine. */
  readonly host: string;
  /** 0 for one that is free. */
  readonly port: number;
}

export interface UnixAddress {
  readonly kind: "unix";
  readonly path: string;
}

export type Address = TcpAddress | UnixAddress;

const PORT_MAX = 65_535;
const TCP = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.*_-]*)):(\d{1,5})$/i;

/** @returns undefined for anything that is no address */
export function parseAddress(text: string): Address | undefined {
  const unix = /^unix:([^\0\n]+)$/.exec(text)?.[1];
  // `unix:///run/x` is how gRPC writes an absolute path.
  if (unix !== undefined) return { kind: "unix", path: unix.replace(/^\/\/(?=\/)/, "") };
  return parseTcpAddress(text);
}

export function parseTcpAddress(text: string): TcpAddress | undefined {
  const match = TCP.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3] ?? NaN);
  return port <= PORT_MAX ? { kind: "tcp", host: host === "*" ? "" : host, port } : undefined;
}

export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether only this machine can reach it, as far as its text says. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host) || /^::ffff:127\./i.test(host);
}
