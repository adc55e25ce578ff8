/** Code of Wasm filters as files: what istiod points to goes through the cache of modules, what lies here is looked at. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { ModuleCache } from "../../modules/module-cache.ts";
import { expectedByIstio } from "../../modules/module-request.ts";
import type { CodeFiles } from "./owner-extension.ts";
import type { CodeSource } from "./wasm-extension.ts";

interface Seen {
  readonly mtimeMs: number;
  readonly size: number;
  readonly sha256: string;
}

export class LocalCode implements CodeFiles {
  readonly #cache: ModuleCache;
  readonly #signal: AbortSignal;
  readonly #seen = new Map<string, Seen>();

  constructor(cache: ModuleCache, signal: AbortSignal) {
    this.#cache = cache;
    this.#signal = signal;
  }

  async localPath({ url, sha256, pullSecret }: CodeSource): Promise<string> {
    const expected = expectedByIstio(url, sha256);
    const request = { url, expected, ...(pullSecret !== undefined && { pullSecret }) };
    return (await this.#cache.get(request, this.#signal)).path;
  }

  sha256Of(path: string): string | undefined {
    try {
      const { mtimeMs, size } = statSync(path);
      const before = this.#seen.get(path);
      if (before?.mtimeMs === mtimeMs && before.size === size) return before.sha256;
      const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
      this.#seen.set(path, { mtimeMs, size, sha256 });
      return sha256;
    } catch {
      return undefined;
    }
  }
}
