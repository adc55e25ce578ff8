/** Where istio-agent fetches a module from: an HTTP server, or a registry with one of the layouts that Istio knows. */
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import type { Programs } from "./programs.ts";
import type { PinnedModule } from "./plugin.ts";
import { Registry } from "./registry.ts";

export const LAYOUTS = ["HTTP", "Docker image", "OCI image", "OCI artifact"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What a WasmPlugin says of its module. */
export interface ModuleAddress {
  readonly url: string;
  readonly sha256: string;
}

export interface ModuleSource {
  readonly address: ModuleAddress;
  /** Nobody answers there any more. */
  stop(): Promise<void>;
  /** Again after `stop`, at the same address with the same module. */
  resume(): Promise<void>;
}

export async function publishModule(layout: Layout, module: PinnedModule, programs: Programs): Promise<ModuleSource> {
  return layout === "HTTP" ? await FileServer.start(module) : await RegistrySource.start(layout, module, programs);
}

class RegistrySource implements ModuleSource {
  readonly address: ModuleAddress;
  readonly #registry: Registry;
  readonly #push: () => Promise<string>;

  private constructor(address: ModuleAddress, registry: Registry, push: () => Promise<string>) {
    this.address = address;
    this.#registry = registry;
    this.#push = push;
  }

  static async start(
    layout: Exclude<Layout, "HTTP">,
    module: PinnedModule,
    programs: Programs,
  ): Promise<RegistrySource> {
    const registry = await Registry.start(programs);
    const push = async (): Promise<string> => await PUSHES[layout](registry, module);
    const image = await push();
    const sha256 = image.split("@sha256:")[1] ?? "";
    return new RegistrySource({ url: `oci://${image}`, sha256 }, registry, push);
  }

  async stop(): Promise<void> {
    await this.#registry.stop();
  }

  async resume(): Promise<void> {
    await this.#registry.resume();
    await this.#push();
  }
}

const PUSHES: Readonly<Record<Exclude<Layout, "HTTP">, (registry: Registry, module: PinnedModule) => Promise<string>>> =
  {
    "Docker image": async (registry, module) => await pushImage(registry, module, []),
    "OCI image": async (registry, module) => await pushImage(registry, module, ["--oci-empty-base"]),
    "OCI artifact": async (registry, module) => await registry.pushArtifact("wpgate:1", await readFile(module.path)),
  };

async function pushImage(registry: Registry, module: PinnedModule, options: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wpgate-plugin-"));
  try {
    await copyFile(module.path, join(folder, "plugin.wasm"));
    return await registry.pushImage("wpgate:1", join(folder, "plugin.wasm"), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class FileServer implements ModuleSource {
  readonly address: ModuleAddress;
  readonly #port: number;
  readonly #content: Buffer;
  #server: Server | undefined;

  private constructor(module: PinnedModule, port: number, content: Buffer) {
    this.address = { url: `http://127.0.0.1:${port}/wpgate.wasm`, sha256: module.sha256 };
    this.#port = port;
    this.#content = content;
  }

  static async start(module: PinnedModule): Promise<FileServer> {
    const server = new FileServer(module, await freePort(), await readFile(module.path));
    await server.resume();
    return server;
  }

  async resume(): Promise<void> {
    const server = createServer((_request, response) => {
      response.end(this.#content);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }
}
