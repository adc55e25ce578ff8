/** `wpgate proxy` as a child process: started from its sources or as it is shipped, ready when its admin server says so. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { GuardedProcess } from "../../../xds-proxy/src/demo/guarded-process.ts";
import { send } from "../../../xds-proxy/src/demo/http-request.ts";
import type { LineLog } from "../../../xds-proxy/src/demo/line-log.ts";
import { projectFile } from "../../../xds-proxy/src/demo/project-file.ts";
import { freePort } from "../../lab/free-port.ts";
import { ready } from "../../lab/ready.ts";
import { cpuSecOf, rssBytesOf } from "./process-usage.ts";

/** What `npm run build` makes, which is what users run. */
export const SHIPPED: string = projectFile("dist/cli/main.js");

export interface ProxyOptions {
  /** The configuration file's content; `admin` is added where it is missing. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Files that the configuration names, by their name in the folder that it lies in. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** The compiled program, such as `SHIPPED`. From the sources when absent. */
  readonly program?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export class ProxyProcess {
  readonly adminPort: number;
  readonly #process: GuardedProcess;

  private constructor(process: GuardedProcess, adminPort: number) {
    this.#process = process;
    this.adminPort = adminPort;
  }

  /** Resolves when the process runs and, unless `wait` is false, when it is ready. */
  static async start(options: ProxyOptions & { readonly wait?: boolean }): Promise<ProxyProcess> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-proxy-"));
    const adminPort = await freePort();
    const config = { admin: `127.0.0.1:${adminPort}`, ...options.config };
    await writeFile(join(folder, "proxy.yaml"), stringify(config), { mode: 0o600 });
    for (const [name, content] of Object.entries(options.files ?? {}))
      await writeFile(join(folder, name), content, { mode: 0o600 });
    const child = new GuardedProcess({
      ...{ file: process.execPath, folder },
      args: [...programArguments(options.program), "proxy", "--config", join(folder, "proxy.yaml")],
      environment: { ...options.environment },
    });
    const proxy = new ProxyProcess(child, adminPort);
    if (options.wait === false) return proxy;
    try {
      await ready("wpgate proxy", child, async () => (await proxy.admin("/readyz")).status === 200);
      return proxy;
    } catch (error) {
      await proxy.stop();
      throw error;
    }
  }

  get log(): LineLog {
    return this.#process.log;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves with how it ended. */
  get ended(): Promise<string> {
    return this.#process.ended;
  }

  async admin(path: string): Promise<{ readonly status: number; readonly body: string }> {
    return await send({ port: this.adminPort, path });
  }

  async rssBytes(): Promise<number> {
    return await rssBytesOf(this.pid);
  }

  async cpuSec(): Promise<number> {
    return await cpuSecOf(this.pid);
  }

  /** SIGKILL. Its own folder goes as well; what must survive lies elsewhere. */
  async kill(): Promise<void> {
    process.kill(this.pid, "SIGKILL");
    await this.#process.ended;
    await this.#process.stop();
  }

  /** SIGTERM, and SIGKILL when that does not help. */
  async stop(graceMs?: number): Promise<void> {
    await this.#process.stop(graceMs);
  }
}

function programArguments(program: string | undefined): readonly string[] {
  if (program !== undefined) return [program];
  const loader = pathToFileURL(projectFile("node_modules/tsx/dist/loader.mjs")).href;
  return ["--import", loader, projectFile("xds-proxy/src/cli/main.ts")];
}
