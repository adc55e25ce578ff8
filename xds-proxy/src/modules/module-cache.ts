/**
 * The Wasm code that istiod's WasmPlugins point to, as files that Envoy can read: fetched once, checked against the
 * digest, kept across restarts, as istio-agent does (istio.io/istio `pkg/wasm`). Unlike there, without a digest nothing
 * is fetched: code runs only when somebody said which.
 */
import { VerifyError } from "../errors.ts";
import { fetchModule, type FetchLimits } from "./fetch-module.ts";
import { parseImageReference } from "./image-reference.ts";
import { ModuleFiles, type FileLimits } from "./module-files.ts";
import {
  parseAddress,
  shownUrl,
  type CachedModule,
  type ExpectedDigests,
  type ModuleRequest,
} from "./module-request.ts";
import { named } from "./named-failure.ts";
import { SharedWork } from "./shared-work.ts";
import { Slots } from "./slots.ts";

export interface ModuleLimits extends FetchLimits, FileLimits {
  /** At the same time; each holds its module in memory. */
  readonly fetchesMaxCount: number;
}

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

export const MODULE_LIMITS: ModuleLimits = {
  moduleMaxBytes: 64 * MIB,
  manifestMaxBytes: MIB,
  totalMaxBytes: 1024 * MIB,
  unusedMaxAgeMs: 7 * DAY_MS,
  requestTimeoutMs: 30_000,
  attemptsMaxCount: 3,
  backoffMs: 500,
  fetchesMaxCount: 4,
};

export interface ModuleCacheOptions {
  readonly limits?: Partial<ModuleLimits>;
  /** Milliseconds since 1970, for the age of files. */
  readonly now?: () => number;
}

export class ModuleCache {
  readonly #limits: ModuleLimits;
  readonly #files: ModuleFiles;
  readonly #slots: Slots;
  readonly #fetches = new SharedWork<CachedModule>();

  private constructor(files: ModuleFiles, limits: ModuleLimits) {
    this.#files = files;
    this.#limits = limits;
    this.#slots = new Slots(limits.fetchesMaxCount);
  }

  /** @throws ConfigError when the folder cannot be made */
  static open(folder: string, options: ModuleCacheOptions = {}): ModuleCache {
    const limits = { ...MODULE_LIMITS, ...options.limits };
    return new ModuleCache(ModuleFiles.open(folder, limits, options.now ?? Date.now), limits);
  }

  /** A local file with the module that is expected at this address.
   *  @throws UpstreamError, LimitError, VerifyError DIGEST, each naming the address; the signal's reason when it fires */
  async get(request: ModuleRequest, signal: AbortSignal): Promise<CachedModule> {
    const expected = expectedOf(request);
    const { url, pullSecret = "", insecure = false } = request;
    const key = JSON.stringify([url, expected.module, expected.image, pullSecret, insecure]);
    return await this.#fetches.join(key, signal, async (shared) => {
      return (await this.#find(expected)) ?? (await this.#fetch({ ...request, expected }, shared));
    });
  }

  /** Removes modules that nobody used for long. */
  async evict(): Promise<void> {
    await this.#files.evict();
  }

  async #fetch(request: ModuleRequest, signal: AbortSignal): Promise<CachedModule> {
    const { url, expected } = request;
    try {
      return await this.#slots.run(async () => {
        const module = await fetchModule({ request, limits: this.#limits, signal });
        const path = await this.#files.add(module);
        if (expected.image !== undefined) await this.#files.addImage(expected.image, module.sha256);
        return { path, sha256: module.sha256 };
      });
    } catch (error) {
      throw named(url, error);
    }
  }

  /** Whoever knows the module's own digest needs no image: the content is the same wherever it came from. */
  async #find({ module, image }: ExpectedDigests): Promise<CachedModule | undefined> {
    const sha256 = module ?? (image === undefined ? undefined : await this.#files.moduleOfImage(image));
    if (sha256 === undefined) return undefined;
    const path = await this.#files.find(sha256);
    return path === undefined ? undefined : { path, sha256 };
  }
}

const SHA256 = /^[0-9a-f]{64}$/;

/** What the caller expects, and what the name of an image pins. @throws VerifyError DIGEST, UpstreamError PROTOCOL */
function expectedOf({ url, expected }: ModuleRequest): ExpectedDigests {
  const refuse = (message: string): never => {
    throw new VerifyError("DIGEST", `module ${shownUrl(url)}: ${message}`, { where: "sha256" });
  };
  const isImage = parseAddress(url).protocol === "oci:";
  const pinned = isImage ? parseImageReference(url).sha256 : undefined;
  const { module, image = pinned } = expected;
  for (const digest of [module, image])
    if (digest !== undefined && !SHA256.test(digest)) return refuse("its digest is not 64 hexadecimal digits");
  if (image !== undefined && !isImage) return refuse("an image's digest, and no image");
  if (module === undefined && image === undefined) return refuse("nothing says which digest it must have");
  return { ...(module === undefined ? {} : { module }), ...(image === undefined ? {} : { image }) };
}
