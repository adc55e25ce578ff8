/** The configuration that `wpgate proxy` runs with: the file, what the command line says instead, and the defaults. */
import { dirname, resolve } from "node:path";
import { isRecord } from "../bytes/record.ts";
import { formatAddress, parseAddress } from "./addresses.ts";
import { readYamlFile } from "./load.ts";
import type { ProxyConfig } from "./proxy-config.ts";
import { parseProxyConfig } from "./proxy-schema.ts";

/** Each stands for a member of the file; paths are relative to where the command runs. */
export interface ProxyFlags {
  readonly config?: string;
  readonly mode?: string;
  readonly upstream?: string;
  readonly upstreamCa?: string;
  readonly token?: string;
  readonly listen?: readonly string[];
  readonly pin?: string;
  readonly state?: string;
  readonly admin?: string;
  readonly logLevel?: string;
}

/** @throws ConfigError with every fault */
export function loadProxyConfig(flags: ProxyFlags, cwd: string): ProxyConfig {
  const { config: file } = flags;
  if (file === undefined) return parseProxyConfig(withFlags({}, flags, cwd), { name: "command line", folder: cwd });
  const path = resolve(cwd, file);
  const value = readYamlFile(path) ?? {};
  const content = isRecord(value) ? withFlags(value, flags, cwd) : value;
  return parseProxyConfig(content, { name: file, folder: dirname(path) });
}

function withFlags(file: Readonly<Record<string, unknown>>, flags: ProxyFlags, cwd: string): unknown {
  const { mode, upstream, upstreamCa, token, listen, pin, state, admin, logLevel } = flags;
  const absolute = (path: string): string => resolve(cwd, path);
  return {
    ...file,
    ...(mode !== undefined && { mode }),
    ...((upstream ?? upstreamCa ?? token) !== undefined && {
      upstream: {
        ...member(file, "upstream"),
        ...(upstream !== undefined && { address: absoluteAddress(upstream, cwd) }),
        ...(upstreamCa !== undefined && {
          tls: { ...member(member(file, "upstream"), "tls"), ca: absolute(upstreamCa) },
        }),
        ...(token !== undefined && { token: absolute(token) }),
      },
    }),
    ...(listen !== undefined && { listen: listen.map((address) => ({ address: absoluteAddress(address, cwd) })) }),
    ...(pin !== undefined && { pin: absolute(pin) }),
    ...(state !== undefined && { state: absolute(state) }),
    ...(admin !== undefined && { admin }),
    ...(logLevel !== undefined && { log: { ...member(file, "log"), level: logLevel } }),
  };
}

/** What is no object here is a fault that the schema names. */
function member(file: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const value = file[name];
  return isRecord(value) ? value : {};
}

function absoluteAddress(text: string, cwd: string): string {
  const address = parseAddress(text);
  return address?.kind === "unix" ? formatAddress({ kind: "unix", path: resolve(cwd, address.path) }) : text;
}
