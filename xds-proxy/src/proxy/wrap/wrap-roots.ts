/** The files that a wrapping proxy signs with: its key, and the root namespace's chain, which is read again when it changes. */
import { readFileSync, statSync } from "node:fs";
import type { SigningKey } from "../../crypto/ecdsa-p256.ts";
import { decodeSigningKeyPem } from "../../crypto/key-files.ts";
import { verifyRootChain, lastOf } from "../../envelope/roots.ts";
import { parseRoot } from "../../envelope/documents.ts";
import { decodeInput, parseEnvelope } from "../../envelope/envelope.ts";
import type { WrapConfig } from "../../config/proxy-config.ts";
import { ConfigError, WpgateError } from "../../errors.ts";
import { digestOf } from "../../crypto/sha256.ts";
import { parseBundle } from "../../owner/bundle.ts";
import type { PushRoots } from "../../push/push-session.ts";

export function readPushKey({ key }: WrapConfig): SigningKey {
  try {
    return decodeSigningKeyPem(readFileSync(key, "utf8"));
  } catch (cause) {
    throw new ConfigError([{ path: key, message: "cannot be read as a private signing key (wpgate keygen)" }], {
      cause,
    });
  }
}

export class WrapRoots {
  readonly #path: string;
  readonly #nowMs: () => number;
  #readMs = -1;
  #roots: PushRoots;

  /** @throws ConfigError when there is no chain that holds */
  constructor({ bundle }: WrapConfig, nowMs: () => number) {
    this.#path = bundle;
    this.#nowMs = nowMs;
    this.#roots = this.#read();
  }

  get current(): PushRoots {
    return this.#roots;
  }

  /** Reads the file again if it has changed. Returns whether there is another root now; one that does not hold changes nothing.
   *  @throws ConfigError for a file that does not hold */
  refresh(): boolean {
    if (statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs === this.#readMs) return false;
    const before = this.#roots;
    this.#roots = this.#read();
    return this.#roots.root.ep !== before.root.ep;
  }

  #read(): PushRoots {
    try {
      this.#readMs = statSync(this.#path).mtimeMs;
      const { sets } = parseBundle(readFileSync(this.#path, "utf8"), this.#path);
      const [{ roots: chain } = { roots: [] }] = sets;
      const first = chain[0] ?? "";
      const data = parseEnvelope(decodeInput(first, "root"), "root").data;
      const { ns, mesh, trustDomain } = parseRoot(data);
      // It is our own file: whoever verifies has the pin. What must hold is that each root follows the one before.
      const pin = { mesh, trustDomain, roots: { [ns]: digestOf(data) } };
      return { chain, root: lastOf(verifyRootChain({ pin, ns, roots: chain, nowMs: this.#nowMs() })).document };
    } catch (cause) {
      const message = cause instanceof WpgateError ? cause.message : "cannot be read";
      throw new ConfigError([{ path: this.#path, message: `holds no chain of roots: ${message}` }], { cause });
    }
  }
}
