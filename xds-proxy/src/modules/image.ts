/** A module in an image: the two layouts of the Wasm image specification, "compat" (an ordinary image) and "oci" (an artifact). */
import { isRecord } from "../bytes/record.ts";
import { UpstreamError, VerifyError } from "../errors.ts";
import { parseImageReference } from "./image-reference.ts";
import type { ModuleRequest } from "./module-request.ts";
import { RegistryClient, type FetchedDocument, type RegistryClientOptions } from "./registry-client.ts";
import { pluginOfLayer } from "./unpack.ts";

export interface ImageLimits {
  readonly moduleMaxBytes: number;
  readonly manifestMaxBytes: number;
}

export interface ImageFetch extends Pick<RegistryClientOptions, "timeoutMs" | "signal"> {
  readonly request: ModuleRequest;
  readonly limits: ImageLimits;
}

const ARCHIVES: readonly string[] = [
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.oci.image.layer.v1.tar+gzip",
];
const MODULE = "application/vnd.module.wasm.content.layer.v1+wasm";
const PLATFORM = { os: "linux", architecture: "amd64" } as const;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** An archive has headers and perhaps other small files. */
const ARCHIVE_EXTRA_BYTES = 1024 * 1024;

/** Checks the image's digest, not the module's. @throws UpstreamError, LimitError, VerifyError DIGEST */
export async function fetchImage({ request, limits, timeoutMs, signal }: ImageFetch): Promise<Uint8Array> {
  const image = parseImageReference(request.url);
  const { pullSecret, insecure = false, expected } = request;
  const client = new RegistryClient({ image, pullSecret, insecure, timeoutMs, signal });
  const manifests = await manifestsOf(client, image.reference, limits.manifestMaxBytes);
  const digests = manifests.map(({ sha256 }) => sha256);
  if (expected.image !== undefined && !digests.includes(expected.image))
    throw new VerifyError("DIGEST", `the image has the digest ${digests.join(" or ")}, not ${expected.image}`);
  const layer = layerOf(manifests.at(-1)?.json);
  if (layer.mediaType === MODULE) return (await client.blob(layer.digest, limits.moduleMaxBytes)).bytes;
  const maxBytes = limits.moduleMaxBytes + ARCHIVE_EXTRA_BYTES;
  return await pluginOfLayer((await client.blob(layer.digest, maxBytes)).bytes, maxBytes);
}

interface Manifest extends FetchedDocument {
  readonly json: Readonly<Record<string, unknown>>;
}

/** The image's; before it the index that names it, where there is one. */
async function manifestsOf(
  client: RegistryClient,
  reference: string,
  maxBytes: number,
): Promise<readonly [Manifest, ...Manifest[]]> {
  const outer = withJson(await client.manifest(reference, maxBytes));
  if (outer.json["manifests"] === undefined) return [outer];
  const entries = descriptorsOf(outer.json["manifests"]);
  const entry = entries.find(({ platform }) => isPlatform(platform)) ?? (entries.length === 1 ? entries[0] : undefined);
  if (entry === undefined) return wrong(`has no image for ${PLATFORM.os}/${PLATFORM.architecture}`);
  return [outer, withJson(await client.manifest(entry.digest, maxBytes))];
}

function withJson(document: FetchedDocument): Manifest {
  try {
    const json: unknown = JSON.parse(Buffer.from(document.bytes).toString("utf8"));
    if (isRecord(json)) return { ...document, json };
  } catch {
    // Said below.
  }
  return wrong("has a manifest that is no JSON object");
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform: unknown;
}

function descriptorsOf(value: unknown): readonly Descriptor[] {
  if (!Array.isArray(value)) return wrong("has a manifest without layers");
  return value.map((item: unknown): Descriptor => {
    const { mediaType, digest, platform }: Readonly<Record<string, unknown>> = isRecord(item) ? item : {};
    if (typeof mediaType !== "string" || typeof digest !== "string" || !DIGEST.test(digest))
      return wrong("has a manifest whose descriptors are malformed");
    return { mediaType, digest, platform };
  });
}

/** An ordinary image's last layer, as istio-agent takes it; else the one layer that says it is a module. */
function layerOf(manifest: Readonly<Record<string, unknown>> | undefined): Descriptor {
  const layers = descriptorsOf(manifest?.["layers"]);
  const last = layers.at(-1);
  if (last !== undefined && ARCHIVES.includes(last.mediaType)) return last;
  return layers.find(({ mediaType }) => mediaType === MODULE) ?? wrong("has no layer with a module");
}

function isPlatform(platform: unknown): boolean {
  return isRecord(platform) && platform["os"] === PLATFORM.os && platform["architecture"] === PLATFORM.architecture;
}

function wrong(message: string): never {
  throw new UpstreamError("PROTOCOL", `the image ${message}`);
}
