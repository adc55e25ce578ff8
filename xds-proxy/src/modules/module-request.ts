/** What is asked of the cache: an address, and what must be found there. */
import { pathToFileURL } from "node:url";
import { UpstreamError } from "../errors.ts";

/** What the content has to be, hex SHA-256 each; all that are given must hold, and one must be given. */
export interface ExpectedDigests {
  /** Of the module: the file that Envoy runs. */
  readonly module?: string;
  /** Of the image's manifest, which is another document than the module; for `oci://` only. */
  readonly image?: string;
}

export interface ModuleRequest {
  /** `https://`, `http://`, `oci://registry/repository[:tag][@sha256:…]`, `file://` or an absolute path. */
  readonly url: string;
  readonly expected: ExpectedDigests;
  /** A Docker configuration (JSON) with the credentials for the registry. */
  readonly pullSecret?: string;
  /** The registry may be spoken to without TLS. One on the loopback interface always is. */
  readonly insecure?: boolean;
}

export interface CachedModule {
  /** Absolute; the file does not change. */
  readonly path: string;
  /** Of the module, hex, wherever it came from. */
  readonly sha256: string;
}

/** What Istio means by the `sha256` of a WasmPlugin: for an image its manifest's, else the module's. */
export function expectedByIstio(url: string, sha256: string): ExpectedDigests {
  if (sha256 === "") return {};
  return url.startsWith("oci://") ? { image: sha256 } : { module: sha256 };
}

const URL_MAX_CHARS = 2048;
const PRINTABLE = /^[!-~]+$/;

/** @throws UpstreamError PROTOCOL for an address that nothing can be fetched from */
export function parseAddress(url: string): URL {
  const wrong = (message: string): never => {
    throw new UpstreamError("PROTOCOL", `module ${shownUrl(url)}: ${message}`, { where: "url" });
  };
  const text = url.startsWith("/") ? pathToFileURL(url).href : url;
  if (text.length > URL_MAX_CHARS || !PRINTABLE.test(text)) return wrong("not an address");
  const address = URL.canParse(text) ? new URL(text) : wrong("not an address");
  if (!SCHEMES.includes(address.protocol)) return wrong(`only ${SCHEMES.join(" ")} or an absolute path`);
  if (address.username !== "" || address.password !== "") return wrong("credentials belong into a pull secret");
  if (address.protocol === "file:" && address.host !== "") return wrong("a file on another host");
  return address;
}

const SCHEMES: readonly string[] = ["https:", "http:", "oci:", "file:"];
const SHOWN_MAX_CHARS = 200;

/** Without what may be secret in it: credentials and the query, which signed addresses have. */
export function shownUrl(url: string | URL): string {
  const text = String(url)
    .replace(/\?.*$/s, "?…")
    .replace(/^([a-z]*:\/\/)[^/]*@(?!sha256:)/, "$1…@");
  return text.length > SHOWN_MAX_CHARS ? `${text.slice(0, SHOWN_MAX_CHARS)}…` : text;
}
