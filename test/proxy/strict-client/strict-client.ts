/** A gRPC client that finds its backends by xDS and checks what it gets by gRPC's own rules, as a child process. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GuardedProcess } from "../../../xds-proxy/src/demo/guarded-process.ts";
import type { LineLog } from "../../../xds-proxy/src/demo/line-log.ts";
import { projectFile } from "../../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { grpcio } from "./grpcio.ts";

/** `grpc-js` is Node's implementation, `grpcio` gRPC's C core. */
export type Implementation = "grpc-js" | "grpcio";

export interface StrictClientOptions {
  readonly implementation: Implementation;
  /** The control plane, or the proxy in its place: `127.0.0.1:PORT` or `unix:PATH`. */
  readonly address: string;
  readonly node: { readonly id: string; readonly metadata?: object };
  /** What it dials as `xds:///`. */
  readonly service: string;
}

/** Round robin in full circles; grpcio's connects to backends one after the other. */
const SAMPLE_COUNT = 30;

export class StrictClient {
  readonly #process: GuardedProcess;

  private constructor(process: GuardedProcess) {
    this.#process = process;
  }

  static async start(options: StrictClientOptions): Promise<StrictClient> {
    const { implementation, address, node, service } = options;
    const bootstrap = {
      xds_servers: [{ server_uri: address, channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] }],
      // grpc-js wants a locality, though it may be empty.
      node: { locality: {}, ...node },
    };
    const folder = await mkdtemp(join(tmpdir(), "wpgate-strict-"));
    const environment = { GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap), PATH: process.env["PATH"] };
    if (implementation === "grpc-js") {
      const loader = pathToFileURL(projectFile("node_modules/tsx/dist/loader.mjs")).href;
      const args = ["--import", loader, projectFile("test/proxy/strict-client/client.ts"), service];
      return new StrictClient(new GuardedProcess({ file: process.execPath, args, folder, environment }));
    }
    const args = [projectFile("test/proxy/strict-client/client.py"), service];
    const withCore = { ...environment, PYTHONPATH: await grpcio() };
    return new StrictClient(new GuardedProcess({ file: "python3", args, folder, environment: withCore }));
  }

  get log(): LineLog {
    return this.#process.log;
  }

  /** Waits until exactly these backends answer, by turns, and nothing fails. @param ports - of the backends */
  async balancesOver(ports: readonly number[]): Promise<void> {
    await until({
      what: `answers of ${ports.join()}`,
      timeoutMs: 20_000,
      intervalMs: 50,
      context: () => this.log.tail(SAMPLE_COUNT),
      probe: () => (isBalanced(this.log.since(this.log.count - SAMPLE_COUNT), ports) ? true : undefined),
    });
  }

  /** How many calls have failed since a mark in the log. */
  errorsSince(mark: number): readonly string[] {
    return this.log.since(mark).filter((line) => line.startsWith("error"));
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** Each backend got its share, give or take one turn, and nobody else got anything. */
function isBalanced(lines: readonly string[], ports: readonly number[]): boolean {
  const counts = ports.map((port) => lines.filter((line) => line === `answer ${port}`).length);
  const share = Math.floor(SAMPLE_COUNT / ports.length);
  return lines.length === SAMPLE_COUNT && counts.every((count) => Math.abs(count - share) <= 1);
}
