/**
 * The real istio-agent alone, without the Envoy that it would start: it connects to istiod, serves ADS on a socket,
 * fetches the modules of WasmPlugins, and takes away what istiod adds to their environment.
 */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import type { LineLog } from "../../xds-proxy/src/demo/line-log.ts";
import { freePort } from "./free-port.ts";
import { ready } from "./ready.ts";

/** Where the program keeps modules: a constant in it, and on one's own machine nobody's business. */
const DATA_FOLDER = "/var/lib/istio/data";
/** `mkdtemp` adds six letters, which makes it as long as the constant. */
const DATA_PREFIX = "/tmp/wpgate-m";

export interface IstioAgentOptions {
  /** The program pilot-agent. */
  readonly file: string;
  /** istiod, a TCP port on 127.0.0.1. */
  readonly ads: number;
  readonly namespace: string;
  /** Added to its environment, such as `WASM_HTTP_REQUEST_MAX_RETRIES`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Those of the pod, which the kubelet shows to it in a file. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export class IstioAgent {
  /** Where Envoy finds ADS: the path of a socket. */
  readonly socket: string;
  readonly #process: GuardedProcess;
  readonly #modules: string;

  private constructor(parts: { socket: string; process: GuardedProcess; modules: string }) {
    this.socket = parts.socket;
    this.#process = parts.process;
    this.#modules = parts.modules;
  }

  static async start(options: IstioAgentOptions): Promise<IstioAgent> {
    const { ads, namespace, environment, annotations } = options;
    const folder = await mkdtemp(join(tmpdir(), "wpgate-agent-"));
    const modules = await mkdtemp(DATA_PREFIX);
    const file = join(folder, "pilot-agent");
    await writeFile(file, withDataFolder(await readFile(options.file), modules), { mode: 0o700 });
    await mkdir(join(folder, "home"));
    if (annotations) await writeAnnotations(folder, annotations);
    const process = new GuardedProcess({
      ...{ file, folder },
      args: ["proxy", "sidecar", "--domain", `${namespace}.svc.cluster.local`],
      environment: {
        ...{ DISABLE_ENVOY: "true", FILE_MOUNTED_CERTS: "true", HOME: join(folder, "home") },
        ...{ POD_NAME: "app", POD_NAMESPACE: namespace, INSTANCE_IP: "127.0.0.1", SERVICE_ACCOUNT: "default" },
        PROXY_CONFIG: JSON.stringify({
          ...{ discoveryAddress: `127.0.0.1:${ads}`, controlPlaneAuthPolicy: "NONE", statusPort: await freePort() },
        }),
        ...environment,
      },
    });
    const socket = join(folder, "etc/istio/proxy/XDS");
    const agent = new IstioAgent({ socket, process, modules });
    try {
      await ready("istio-agent", process, async () => (await stat(socket)).isSocket());
      return agent;
    } catch (error) {
      await agent.stop();
      throw error;
    }
  }

  get log(): LineLog {
    return this.#process.log;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    await rm(this.#modules, { recursive: true, force: true });
  }
}

/** As a downward API volume has them. */
async function writeAnnotations(folder: string, annotations: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(annotations).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
  await mkdir(join(folder, "etc/istio/pod"), { recursive: true });
  await writeFile(join(folder, "etc/istio/pod/annotations"), lines.join(""));
}

/** A copy of the program with another constant of the same length. */
function withDataFolder(program: Buffer, folder: string): Buffer {
  const at = program.indexOf(DATA_FOLDER);
  if (at < 0 || program.includes(DATA_FOLDER, at + 1) || folder.length !== DATA_FOLDER.length)
    throw new Error(`cannot give pilot-agent ${folder} in the place of ${DATA_FOLDER}`);
  program.write(folder, at, "latin1");
  return program;
}
