/** Where the server listens: TCP, and Unix sockets with the care that files need. */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname, relative } from "node:path";
import type { Server, ServerCredentials } from "@grpc/grpc-js";
import { formatAddress, type Address, type UnixAddress } from "../config/addresses.ts";
import type { ListenConfig } from "../config/proxy-config.ts";
import { ConfigError } from "../errors.ts";

/** Of `sockaddr_un` on Linux, without the last zero. */
const SOCKET_PATH_MAX_BYTES = 107;

/** @returns the address with the port that it got. @throws ConfigError when it cannot listen there */
export async function bindServer(
  server: Server,
  credentials: ServerCredentials,
  { address, socketMode }: ListenConfig,
): Promise<Address> {
  if (address.kind === "unix") {
    await bindSocket(server, credentials, { address, socketMode });
    return address;
  }
  const everywhere = address.host === "";
  // Both families where there is IPv6.
  const hosts = everywhere ? ["::", "0.0.0.0"] : [address.host];
  const port = await bindFirst(
    server,
    credentials,
    hosts.map((host) => formatAddress({ ...address, host })),
  );
  return { ...address, port };
}

async function bindSocket(
  server: Server,
  credentials: ServerCredentials,
  { address, socketMode }: { readonly address: UnixAddress; readonly socketMode: number },
): Promise<void> {
  await prepareSocket(address);
  // Nobody gets through between the moment when the socket is there and the one when its mode is.
  const umask = process.umask(0o077);
  try {
    await bindFirst(server, credentials, [`unix:${socketPath(address)}`]);
  } finally {
    process.umask(umask);
  }
  chmodSync(address.path, socketMode);
}

async function bindFirst(server: Server, credentials: ServerCredentials, targets: readonly string[]): Promise<number> {
  let failed: unknown;
  for (const target of targets) {
    try {
      return await bind(server, credentials, target);
    } catch (cause) {
      failed = cause;
    }
  }
  throw new ConfigError([{ path: `listen ${targets[0] ?? ""}`, message: "cannot listen there" }], { cause: failed });
}

function bind(server: Server, credentials: ServerCredentials, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

/** Makes the folder, and takes a socket away that a process has left behind. */
async function prepareSocket(address: UnixAddress): Promise<void> {
  const { path } = address;
  const fault = (message: string, cause?: unknown): ConfigError =>
    new ConfigError([{ path: `listen ${formatAddress(address)}`, message }], cause === undefined ? {} : { cause });
  if (Buffer.byteLength(socketPath(address)) > SOCKET_PATH_MAX_BYTES)
    throw fault(`is longer than the ${SOCKET_PATH_MAX_BYTES} bytes that a socket's path may have`);
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw fault("its folder cannot be made", cause);
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw fault("is there already, and is no socket");
  if (await answers(path)) throw fault("another process listens there");
  unlinkSync(path);
}

/** The shorter way to name it. */
function socketPath({ path }: UnixAddress): string {
  const fromHere = relative(process.cwd(), path);
  return Buffer.byteLength(fromHere) < Buffer.byteLength(path) ? fromHere : path;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (alive: boolean) => (): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("connect", settle(true));
    // EAGAIN: its queue is full, so that somebody has it. Refused: nobody has.
    socket.once("error", (error: NodeJS.ErrnoException) => {
      settle(error.code !== "ECONNREFUSED" && error.code !== "ENOENT")();
    });
  });
}
