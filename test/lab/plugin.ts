/** The module with a test's pin as a file, and the WasmPlugin that carries bundles to it. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { wasmPlugin, type WasmPluginOptions } from "../../xds-proxy/src/owner/wasm-plugin.ts";
import { pinModule } from "../../xds-proxy/src/pin/pin-module.ts";

export class PinnedModule {
  readonly path: string;
  readonly sha256: string;
  readonly #folder: string;

  private constructor(folder: string, sha256: string) {
    this.#folder = folder;
    this.path = join(folder, "wpgate.wasm");
    this.sha256 = sha256;
  }

  /** @param pin - the pin's JSON text */
  static async create(pin: string): Promise<PinnedModule> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-module-"));
    const bytes = pinModule(await readFile(projectFile("filter/build/wpgate.wasm")), pin);
    await writeFile(join(folder, "wpgate.wasm"), bytes);
    return new PinnedModule(folder, createHash("sha256").update(bytes).digest("hex"));
  }

  /** What `wpgate wasmplugin` prints, as an object. `url` and `sha256` are this file's unless given. */
  plugin(
    options: Pick<WasmPluginOptions, "namespace" | "selector"> &
      Partial<Pick<WasmPluginOptions, "name" | "mode" | "url" | "sha256">> & {
        readonly bundles: readonly NamespaceBundle[];
      },
  ): Readonly<Record<string, unknown>> {
    const { bundles, name = "wpgate", mode = "SERVER", url = `file://${this.path}`, ...rest } = options;
    const bundle = { wpgate: 1, sets: bundles } as const;
    return wasmPlugin({ sha256: this.sha256, ...rest, name, mode, url, bundle, failStrategy: "FAIL_RELOAD" });
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
