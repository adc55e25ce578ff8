/**
 * The folder of the cache: `<sha256>.wasm` for each module, and `<sha256>.image` for each image that a module came from,
 * with the module's SHA-256 in it. A file appears whole or not at all and never changes; its time is that of its last use.
 *
 * Of a module nothing is believed but its digest. What an image holds is believed of the folder, which must be writable
 * for nobody else: the manifest alone, whose digest is known, does not say it.
 */
import { hash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError, LimitError, UpstreamError } from "../errors.ts";

export interface FileLimits {
  readonly totalMaxBytes: number;
  /** Modules that nobody used for so long are removed. */
  readonly unusedMaxAgeMs: number;
}

/** What was used so recently is not removed to make room: an Envoy may be about to read it. */
const IN_USE_MS = 10 * 60_000;
const SCRATCH_MAX_AGE_MS = 60 * 60_000;
const FILE = /^([0-9a-f]{64})\.(wasm|image)$/;
const SCRATCH = /\.tmp$/;

interface Entry {
  readonly path: string;
  readonly sha256: string;
  readonly kind: string;
  readonly bytes: number;
  readonly usedMs: number;
}

export class ModuleFiles {
  readonly #folder: string;
  readonly #limits: FileLimits;
  readonly #now: () => number;
  /** Modules whose digest this process has computed. */
  readonly #checked = new Set<string>();

  private constructor(folder: string, limits: FileLimits, now: () => number) {
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
  }

  /** @throws ConfigError when the folder cannot be made */
  static open(folder: string, limits: FileLimits, now: () => number): ModuleFiles {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const { code = "" } = cause as NodeJS.ErrnoException;
      throw new ConfigError([{ path: folder, message: `cannot be made (${code})` }], {
        ...{ cause, hint: "give the proxy a state folder of its own that it can write to" },
      });
    }
    return new ModuleFiles(resolve(folder), limits, now);
  }

  /** The path of a module that is there and whole; a damaged one is removed. */
  async find(sha256: string): Promise<string | undefined> {
    const path = this.#path(sha256, "wasm");
    if (!this.#checked.has(sha256)) {
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined) return undefined;
      if (hash("sha256", bytes, "hex") !== sha256) {
        await rm(path, { force: true });
        return undefined;
      }
      this.#checked.add(sha256);
    }
    return (await this.#touch(path)) ? path : undefined;
  }

  /** The module that came out of this image before. */
  async moduleOfImage(sha256: string): Promise<string | undefined> {
    const path = this.#path(sha256, "image");
    const text = await readFile(path, "utf8").catch(() => "");
    if (!/^[0-9a-f]{64}$/.test(text)) return undefined;
    return (await this.#touch(path)) ? text : undefined;
  }

  /** @throws LimitError when there is no room for it, UpstreamError when the disk refuses */
  async add(module: { readonly bytes: Uint8Array; readonly sha256: string }): Promise<string> {
    await this.evict(module.bytes.length);
    const path = this.#path(module.sha256, "wasm");
    await this.#write(path, module.bytes);
    this.#checked.add(module.sha256);
    return path;
  }

  async addImage(sha256: string, module: string): Promise<void> {
    await this.#write(this.#path(sha256, "image"), Buffer.from(module));
  }

  /** Removes what is too old, and the least recently used until `roomBytes` more fit.
   *  @throws LimitError when they do not */
  async evict(roomBytes = 0): Promise<void> {
    const nowMs = this.#now();
    const entries = (await this.#entries()).toSorted((a, b) => a.usedMs - b.usedMs);
    let totalBytes = entries.reduce((sum, { bytes }) => sum + bytes, roomBytes);
    for (const { path, sha256, bytes, usedMs, kind } of entries) {
      const ageMs = nowMs - usedMs;
      const isOver = totalBytes > this.#limits.totalMaxBytes && ageMs > IN_USE_MS;
      if (ageMs <= this.#limits.unusedMaxAgeMs && !isOver) continue;
      await rm(path, { force: true });
      if (kind === "wasm") this.#checked.delete(sha256);
      totalBytes -= bytes;
    }
    if (totalBytes > this.#limits.totalMaxBytes)
      throw new LimitError(`the modules in use and this one have more than ${this.#limits.totalMaxBytes} bytes`);
  }

  async #entries(): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const status = await stat(path).catch(() => undefined);
      if (status === undefined) continue;
      // Left by a process that was killed.
      if (SCRATCH.test(name) && this.#now() - status.mtimeMs > SCRATCH_MAX_AGE_MS) await rm(path, { force: true });
      const [, sha256 = "", kind = ""] = FILE.exec(name) ?? [];
      if (sha256 !== "") entries.push({ path, sha256, kind, bytes: status.size, usedMs: status.mtimeMs });
    }
    return entries;
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const scratch = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      const file = await open(scratch, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(scratch, path);
      await this.#touch(path);
    } catch (cause) {
      const { code = "unknown" } = cause as NodeJS.ErrnoException;
      throw new UpstreamError("UNAVAILABLE", `${path} cannot be written (${code})`, { cause });
    } finally {
      await rm(scratch, { force: true });
    }
  }

  /** Whether it is there. */
  async #touch(path: string): Promise<boolean> {
    const nowSec = this.#now() / 1000;
    return await utimes(path, nowSec, nowSec).then(
      () => true,
      () => existsSync(path),
    );
  }

  #path(sha256: string, kind: "wasm" | "image"): string {
    return join(this.#folder, `${sha256}.${kind}`);
  }
}
