/** A checker that also knows files, relative to the folder that the configuration lies in, and addresses. */
import { resolve } from "node:path";
import { parseAddress, parseTcpAddress, type Address, type TcpAddress } from "./addresses.ts";
import { Checker, type TextRule } from "./checker.ts";

const PATH: TextRule = { pattern: /^[^\0\n]+$/, expected: "a path" };

export class PlaceChecker extends Checker {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  /** An absolute path. */
  file(value: unknown, path: string): string {
    return resolve(this.#folder, this.text(value, path, PATH));
  }

  /** `{[name]: path}`, or nothing when it is absent: an optional member of the result. */
  optionalFile<N extends string>(value: unknown, path: string, name: N): { readonly [key in N]?: string } {
    return (value === undefined ? {} : { [name]: this.file(value, path) }) as { readonly [key in N]?: string };
  }

  /** The path of a Unix socket becomes absolute. */
  address(value: unknown, path: string): Address {
    const address = typeof value === "string" ? parseAddress(value) : undefined;
    if (address?.kind === "unix") return { kind: "unix", path: resolve(this.#folder, address.path) };
    return address ?? this.#noAddress(value, path, "host:port or unix:PATH");
  }

  tcpAddress(value: unknown, path: string): TcpAddress {
    const address = typeof value === "string" ? parseTcpAddress(value) : undefined;
    return address ?? this.#noAddress(value, path, "host:port");
  }

  #noAddress(value: unknown, path: string, expected: string): TcpAddress {
    this.fault(path, value === undefined ? `missing; must be ${expected}` : `must be ${expected}`);
    // A stand-in that gives rise to no other fault.
    return { kind: "tcp", host: `fault-${this.faults.length}.invalid`, port: 1 };
  }
}
