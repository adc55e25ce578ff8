/** The configuration's members `upstream` and `listen`: where, and with which files of TLS. */
import { formatAddress, type Address } from "./addresses.ts";
import type { TextRule } from "./checker.ts";
import type { PlaceChecker } from "./place-checker.ts";
import type { ClientTlsFiles, ListenConfig, ServerTlsFiles, UpstreamConfig } from "./proxy-config.ts";

const KEEPALIVE_SEC = { time: 30, timeout: 10 };
const CONNECT_TIMEOUT_SEC = 10;
const HOUR_SEC = 3_600;
const SERVER_NAME: TextRule = { pattern: /^[A-Za-z0-9.-]{1,253}$/, expected: "a DNS name" };
const SOCKET_MODE: TextRule = { pattern: /^0?[0-7]{3}$/, expected: 'three octal digits in quotes such as "0660"' };
const DEFAULT_SOCKET_MODE = "0600";

/** Where a proxy beside Envoy listens when nothing is said. */
export const DEFAULT_LISTEN = "127.0.0.1:15010";

export function readUpstream(checker: PlaceChecker, value: unknown): UpstreamConfig {
  const given = checker.object(value ?? {}, "upstream", ["address", "tls", "token", "connectTimeoutSec", "keepalive"]);
  const keepalive = checker.object(given["keepalive"] ?? {}, "upstream.keepalive", ["timeSec", "timeoutSec"]);
  const sec = (member: unknown, path: string, fallback: number): number =>
    checker.integer(member, path, { min: 1, max: HOUR_SEC, default: fallback });
  const address = checker.address(given["address"], "upstream.address");
  if (address.kind === "tcp" && (address.host === "" || address.port === 0))
    checker.fault("upstream.address", "must name a host and a port that is not 0");
  return {
    address,
    ...(given["tls"] !== undefined && { tls: readClientTls(checker, given["tls"], address) }),
    ...checker.optionalFile(given["token"], "upstream.token", "token"),
    connectTimeoutSec: sec(given["connectTimeoutSec"], "upstream.connectTimeoutSec", CONNECT_TIMEOUT_SEC),
    keepalive: {
      timeSec: sec(keepalive["timeSec"], "upstream.keepalive.timeSec", KEEPALIVE_SEC.time),
      timeoutSec: sec(keepalive["timeoutSec"], "upstream.keepalive.timeoutSec", KEEPALIVE_SEC.timeout),
    },
  };
}

function readClientTls(checker: PlaceChecker, value: unknown, address: Address): ClientTlsFiles {
  const path = "upstream.tls";
  const given = checker.object(value, path, ["ca", "cert", "key", "serverName"]);
  const { serverName } = given;
  if ((given["cert"] === undefined) !== (given["key"] === undefined))
    checker.fault(path, "cert and key belong together");
  if (serverName === undefined && address.kind === "unix")
    checker.fault(`${path}.serverName`, "missing; the path of a socket is no name");
  return {
    ...checker.optionalFile(given["ca"], `${path}.ca`, "ca"),
    ...checker.optionalFile(given["cert"], `${path}.cert`, "cert"),
    ...checker.optionalFile(given["key"], `${path}.key`, "key"),
    ...(serverName !== undefined && { serverName: checker.text(serverName, `${path}.serverName`, SERVER_NAME) }),
  };
}

/** @param fallback - what is listened on when the member is absent; undefined when it must be there */
export function readListen(
  checker: PlaceChecker,
  value: unknown,
  fallback: readonly unknown[] | undefined,
): readonly ListenConfig[] {
  const given = checker.list(value ?? fallback ?? [], "listen");
  if (given.length === 0) checker.fault("listen", "must list at least one address");
  const all = given.map((item, index) => readOneListen(checker, item, `listen[${index}]`));
  const seen = new Set<string>();
  all.forEach(({ address }, index) => {
    const text = formatAddress(address);
    if (seen.has(text) && !(address.kind === "tcp" && address.port === 0))
      checker.fault(`listen[${index}].address`, "is listed before");
    seen.add(text);
  });
  return all;
}

function readOneListen(checker: PlaceChecker, value: unknown, path: string): ListenConfig {
  const given = checker.object(value, path, ["address", "tls", "socketMode"]);
  const { tls, socketMode } = given;
  const address = checker.address(given["address"], `${path}.address`);
  if (socketMode !== undefined && address.kind === "tcp")
    checker.fault(`${path}.socketMode`, "is of use for a Unix socket only");
  return {
    address,
    ...(tls !== undefined && { tls: readServerTls(checker, tls, `${path}.tls`) }),
    socketMode: Number.parseInt(
      checker.text(socketMode ?? DEFAULT_SOCKET_MODE, `${path}.socketMode`, SOCKET_MODE) || DEFAULT_SOCKET_MODE,
      8,
    ),
  };
}

function readServerTls(checker: PlaceChecker, value: unknown, path: string): ServerTlsFiles {
  const given = checker.object(value, path, ["cert", "key", "clientCa", "clientCert"]);
  const { clientCa, clientCert } = given;
  if (clientCert !== undefined && clientCa === undefined)
    checker.fault(`${path}.clientCert`, "is of use with clientCa only");
  return {
    cert: checker.file(given["cert"], `${path}.cert`),
    key: checker.file(given["key"], `${path}.key`),
    ...checker.optionalFile(clientCa, `${path}.clientCa`, "clientCa"),
    clientCert: checker.choice(clientCert, `${path}.clientCert`, ["required", "optional"]),
  };
}
