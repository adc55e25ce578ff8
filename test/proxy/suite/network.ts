/**
 * A network of one's own, for programs that listen on all addresses and on fixed ports: a Linux network namespace that has
 * a loopback device and nothing else. As root, or where users may have namespaces of their own.
 */
import { run } from "../../../xds-proxy/src/demo/child-output.ts";
import { ConfigError } from "../../../xds-proxy/src/errors.ts";

/** Brings `lo` up (SIOCSIFFLAGS: IFF_UP, IFF_RUNNING), then becomes the program; needs no iproute2. */
const UP_AND_EXECUTE = `
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
os.execv(sys.argv[1], sys.argv[1:])
`;
const WAYS = [["--net"], ["--user", "--map-root-user", "--net"]] as const;

/** The command that runs `file` in a network of its own, under the same process id.
 *  @throws ConfigError where the machine allows none */
export async function inOwnNetwork(file: string, args: readonly string[]): Promise<readonly [string, ...string[]]> {
  const refusals: string[] = [];
  for (const way of WAYS) {
    const output = await run({ file: "unshare", args: [...way, "--", "true"], environment: process.env });
    if (output?.exitCode === 0) return ["unshare", ...way, "--", "python3", "-c", UP_AND_EXECUTE, file, ...args];
    refusals.push(output ? output.stderr.trim() : "there is no program unshare");
  }
  throw new ConfigError([{ path: "unshare", message: `no network namespace: ${refusals.join("; ")}` }]);
}
