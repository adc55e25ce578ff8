/** Names of images, as container tools read them (distribution/reference; OCI distribution specification 1.1, "Pulling manifests"). */
import { UpstreamError } from "../errors.ts";
import { shownUrl } from "./module-request.ts";

export interface ImageReference {
  /** Host and port, where requests go to. */
  readonly host: string;
  /** As credentials are filed under. */
  readonly registry: string;
  readonly repository: string;
  /** A tag, or `sha256:…`. */
  readonly reference: string;
  /** Hex, when the name itself pins the manifest. */
  readonly sha256: string | undefined;
}

const NAME =
  /^(?<path>[^@:]+(?::[0-9]+(?=\/))?[^@:]*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@sha256:(?<sha256>[0-9a-f]{64}))?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
const DOCKER_HUB = { host: "registry-1.docker.io", registry: "https://index.docker.io/v1/" } as const;

/** @param url - `oci://` and the name. @throws UpstreamError PROTOCOL */
export function parseImageReference(url: string): ImageReference {
  const match = NAME.exec(url.slice("oci://".length));
  const components = match?.groups?.["path"]?.split("/") ?? [];
  const [first = ""] = components;
  const named = components.length > 1 && (/[.:[]/.test(first) || first === "localhost");
  const repository = named ? components.slice(1) : components.length === 1 ? ["library", first] : components;
  if (match === null || !repository.every((part) => COMPONENT.test(part)) || (named && !HOST.test(first)))
    throw new UpstreamError("PROTOCOL", `module ${shownUrl(url)}: not the name of an image`, { where: "url" });
  const { tag = "latest", sha256 } = match.groups ?? {};
  const place = named && !/^(?:index\.)?docker\.io$/.test(first) ? { host: first, registry: first } : DOCKER_HUB;
  return {
    ...place,
    repository: repository.join("/"),
    reference: sha256 === undefined ? tag : `sha256:${sha256}`,
    sha256,
  };
}
