/** Manifests and blobs of one repository (OCI distribution specification 1.1, "Pull"). */
import { hash } from "node:crypto";
import { UpstreamError, VerifyError } from "../errors.ts";
import { httpGet, refuseStatus, type HttpAnswer } from "./http-get.ts";
import type { ImageReference } from "./image-reference.ts";
import { challengeOf, credentialsFor, tokenOf } from "./registry-login.ts";

export interface RegistryClientOptions {
  readonly image: ImageReference;
  readonly pullSecret: string | undefined;
  readonly insecure: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface FetchedDocument {
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly sha256: string;
}

const TOKEN_MAX_BYTES = 64 * 1024;
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])(?::[0-9]+)?$/;
const MANIFEST_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #base: URL;
  #authorization: string | undefined;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    const { host, repository } = options.image;
    const scheme = options.insecure || LOOPBACK.test(host) ? "http" : "https";
    this.#base = new URL(`${scheme}://${host}/v2/${repository}/`);
  }

  /** @param reference - a tag, or `sha256:…`, which is checked. @throws UpstreamError, LimitError, VerifyError DIGEST */
  async manifest(reference: string, maxBytes: number): Promise<FetchedDocument> {
    return await this.#get(`manifests/${reference}`, { accept: MANIFEST_TYPES, digest: reference, maxBytes });
  }

  /** @param digest - `sha256:…`. @throws UpstreamError, LimitError, VerifyError DIGEST */
  async blob(digest: string, maxBytes: number): Promise<FetchedDocument> {
    return await this.#get(`blobs/${digest}`, { accept: "*/*", digest, maxBytes });
  }

  async #get(path: string, wanted: { accept: string; digest: string; maxBytes: number }): Promise<FetchedDocument> {
    const url = new URL(path, this.#base);
    let answer = await this.#send(url, wanted);
    if (answer.status === 401 && this.#authorization === undefined) {
      this.#authorization = await this.#logIn(answer);
      answer = await this.#send(url, wanted);
    }
    if (answer.status !== 200) refuseStatus(url, answer.status);
    const sha256 = hash("sha256", answer.body, "hex");
    if (wanted.digest.startsWith("sha256:") && wanted.digest !== `sha256:${sha256}`)
      throw new VerifyError("DIGEST", `${url.href} has the digest ${sha256}`, { where: url.href });
    return { bytes: answer.body, sha256 };
  }

  async #send(url: URL, { accept, maxBytes }: { accept: string; maxBytes: number }): Promise<HttpAnswer> {
    const { timeoutMs, signal } = this.#options;
    const authorization = this.#authorization;
    const headers = { accept, ...(authorization === undefined ? {} : { authorization }) };
    return await httpGet({ url, headers, maxBytes, timeoutMs, signal });
  }

  async #logIn(refusal: HttpAnswer): Promise<string> {
    const { image, pullSecret, timeoutMs, signal } = this.#options;
    const challenge = challengeOf(refusal, image, this.#base);
    const credentials = credentialsFor(image, pullSecret);
    const basic = credentials === undefined ? undefined : `Basic ${credentials}`;
    if (challenge?.scheme !== "bearer") {
      if (challenge !== undefined && basic !== undefined) return basic;
      throw new UpstreamError("LOGIN", `registry ${image.host}: asks for a login, and no pull secret is for it`);
    }
    const headers: Readonly<Record<string, string>> = basic === undefined ? {} : { authorization: basic };
    const answer = await httpGet({ url: challenge.url, headers, maxBytes: TOKEN_MAX_BYTES, timeoutMs, signal });
    if (answer.status !== 200) refuseStatus(challenge.url, answer.status);
    return `Bearer ${tokenOf(answer, image.host)}`;
  }
}
