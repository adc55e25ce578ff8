/** A real container registry in memory, and what puts a module into it. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import { freePort } from "./free-port.ts";
import type { Programs } from "./programs.ts";
import { ready } from "./ready.ts";

const run = promisify(execFile);

const SAME_BYTES = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=0644"];
const ARTIFACT = {
  config: "application/vnd.module.wasm.config.v1+json",
  module: "application/vnd.module.wasm.content.layer.v1+wasm",
} as const;

export class Registry {
  /** Such as `127.0.0.1:5000`. */
  readonly host: string;
  readonly #programs: Programs;
  readonly #port: number;
  #process: GuardedProcess | undefined;

  private constructor(programs: Programs, port: number) {
    this.#programs = programs;
    this.#port = port;
    this.host = `127.0.0.1:${port}`;
  }

  static async start(programs: Programs): Promise<Registry> {
    const registry = new Registry(programs, await freePort());
    await registry.resume();
    return registry;
  }

  /** Again after `stop`, at the same address, empty. */
  async resume(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-registry-"));
    const process = new GuardedProcess({ file: this.#programs.registry, args: [`-port=${this.#port}`], folder });
    this.#process = process;
    await ready("the registry", process, async () => (await fetch(`http://${this.host}/v2/`)).ok);
  }

  /** The commands of docs/istio.md: an image with the one file `plugin.wasm`; the same module has the same digest.
   *  @returns its address with its digest */
  async pushImage(name: string, pluginWasm: string, options: readonly string[] = []): Promise<string> {
    if (basename(pluginWasm) !== "plugin.wasm") throw new Error("Istio looks for plugin.wasm");
    const folder = await mkdtemp(join(tmpdir(), "wpgate-image-"));
    try {
      const layer = join(folder, "plugin.tar.gz");
      await run("tar", ["-C", dirname(pluginWasm), ...SAME_BYTES, "-czf", layer, "plugin.wasm"]);
      const args = ["append", ...options, "--new_layer", layer, "--new_tag", `${this.host}/${name}`];
      const { stdout } = await run(this.#programs.crane, args, { env: { HOME: folder } });
      return stdout.trim();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The layout of `oras push`, two layers with media types of their own. @returns its address with its digest */
  async pushArtifact(name: string, module: Buffer): Promise<string> {
    const [repository = "", tag = "latest"] = name.split(":");
    const description = Buffer.from("{}");
    const layers = [
      await this.#pushBlob(repository, ARTIFACT.config, description),
      await this.#pushBlob(repository, ARTIFACT.module, module),
    ];
    const config = await this.#pushBlob(repository, "application/vnd.oci.empty.v1+json", description);
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
    await this.#put(`/v2/${repository}/manifests/${tag}`, mediaType, manifest);
    return `${this.host}/${repository}@${digestOf(manifest)}`;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async #pushBlob(repository: string, mediaType: string, content: Buffer): Promise<Descriptor> {
    const digest = digestOf(content);
    const begun = await fetch(`http://${this.host}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const location = new URL(begun.headers.get("location") ?? "", `http://${this.host}`);
    location.searchParams.set("digest", digest);
    await this.#put(`${location.pathname}${location.search}`, "application/octet-stream", content);
    return { mediaType, digest, size: content.length };
  }

  async #put(path: string, type: string, content: Buffer): Promise<void> {
    const body = new Uint8Array(content);
    const answer = await fetch(`http://${this.host}${path}`, {
      method: "PUT",
      headers: { "content-type": type },
      body,
    });
    if (answer.status !== 201) throw new UpstreamError("UNAVAILABLE", `registry: ${answer.status} for PUT ${path}`);
  }
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
