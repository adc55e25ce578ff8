/**
 * Server certificates that follow their files: connections that are there go on, the next one gets the new certificate. While
 * the files do not fit each other, as between two writes, the last good ones stay.
 */
import { experimental, type ServerCredentials } from "@grpc/grpc-js";
import type { ServerTlsFiles } from "../config/proxy-config.ts";
import { ConfigError } from "../errors.ts";
import { LOG_EVENTS, type Logger } from "../log.ts";
import { readTlsFiles, type TlsFiles, type TlsMaterial } from "./tls-files.ts";

type CaListener = Parameters<experimental.CertificateProvider["addCaCertificateListener"]>[0];
type IdentityListener = Parameters<experimental.CertificateProvider["addIdentityCertificateListener"]>[0];

/** Istio's agent and kubelet replace certificates long before they run out. */
const POLL_MS = 10_000;

export interface ServerTlsOptions {
  readonly log: Logger;
  readonly pollMs?: number;
}

export class ServerTls implements experimental.CertificateProvider {
  readonly credentials: ServerCredentials;
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #material: TlsMaterial;
  #failed = "";

  /** @throws ConfigError */
  static open(files: ServerTlsFiles, options: ServerTlsOptions): ServerTls {
    return new ServerTls(files, options);
  }

  private constructor(
    { cert, key, clientCa, clientCert }: ServerTlsFiles,
    { log, pollMs = POLL_MS }: ServerTlsOptions,
  ) {
    this.#files = { cert, key, ca: clientCa };
    this.#log = log;
    this.#material = readTlsFiles(this.#files);
    const roots = clientCa === undefined ? null : this;
    this.credentials = experimental.createCertificateProviderServerCredentials(
      this,
      roots,
      roots !== null && clientCert === "required",
    );
    this.#timer = setInterval(() => {
      this.#reload();
    }, pollMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    // Not at once: grpc-js hears the first answer only after it has asked.
    queueMicrotask(() => {
      this.#tellCa(listener);
    });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    queueMicrotask(() => {
      this.#tellIdentity(listener);
    });
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #reload(): void {
    try {
      const material = readTlsFiles(this.#files);
      this.#failed = "";
      if (material.digest === this.#material.digest) return;
      this.#material = material;
      for (const listener of this.#identityListeners) this.#tellIdentity(listener);
      for (const listener of this.#caListeners) this.#tellCa(listener);
      this.#log.info(LOG_EVENTS.tlsReloaded, { cert: this.#files.cert });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.message === this.#failed) return;
      this.#failed = error.message;
      this.#log.warn(LOG_EVENTS.tlsReloadFailed, { reason: error.message });
    }
  }

  #tellCa(listener: CaListener): void {
    const { ca } = this.#material;
    listener(ca === undefined ? null : { caCertificate: ca });
  }

  #tellIdentity(listener: IdentityListener): void {
    const { cert, key } = this.#material;
    listener(cert === undefined || key === undefined ? null : { certificate: cert, privateKey: key });
  }
}
