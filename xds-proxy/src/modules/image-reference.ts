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

const REST =
  /^(?<repository>[^:@]+)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@sha256:(?<sha256>[0-9a-f]{64}))?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
const DOCKER_HUB = { host: "registry-1.docker.io", registry: "https://index.docker.io/v1/" } as const;

/** @param url - `oci://` and the name. @throws UpstreamError PROTOCOL */
export function parseImageReference(url: string): ImageReference {
  const name = url.slice("oci://".length);
  const [first = ""] = name.split("/", 1);
  const isNamed = first !== name && (/[.:[]/.test(first) || first === "localhost");
  const match = REST.exec(isNamed ? name.slice(first.length + 1) : name);
  const components = match?.groups?.["repository"]?.split("/") ?? [];
  if (match === null || !components.every((part) => COMPONENT.test(part)) || (isNamed && !HOST.test(first)))
    throw new UpstreamError("PROTOCOL", `module ${shownUrl(url)}: not the name of an image`, { where: "url" });
  const { tag = "latest", sha256 } = match.groups ?? {};
  const place = isNamed && !/^(?:index\.)?docker\.io$/.test(first) ? { host: first, registry: first } : DOCKER_HUB;
  return {
    ...place,
    repository:
      place === DOCKER_HUB && components.length === 1 ? `library/${components.join("")}` : components.join("/"),
    reference: sha256 === undefined ? tag : `sha256:${sha256}`,
    sha256,
  };
}
