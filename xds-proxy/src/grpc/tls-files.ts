/** Keys and certificates in files, as TLS takes them; read again when they change, as Kubernetes and agents replace them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { ConfigError, type ConfigFault } from "../errors.ts";

export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Of all contents: the same digest, the same material. */
  readonly digest: string;
}

/** @throws ConfigError that names each file that cannot be read, or those that do not fit each other */
export function readTlsFiles(files: TlsFiles): TlsMaterial {
  const faults: ConfigFault[] = [];
  const hash = createHash("sha256");
  const read = (name: "ca" | "cert" | "key"): { readonly [key in typeof name]?: Buffer } => {
    const path = files[name];
    if (path === undefined) return {};
    try {
      const content = readFileSync(path);
      hash.update(`${name} ${content.length}\n`).update(content);
      return { [name]: content };
    } catch (cause) {
      faults.push({ path, message: `cannot be read: ${reason(cause)}` });
      return {};
    }
  };
  const content = { ...read("ca"), ...read("cert"), ...read("key") };
  if (faults.length > 0) throw new ConfigError(faults);
  try {
    createSecureContext(content);
  } catch (cause) {
    const path = [files.cert, files.key, files.ca].filter((file) => file !== undefined).join(", ");
    throw new ConfigError([{ path, message: "are no certificates and keys in PEM that fit each other" }], { cause });
  }
  return { ...content, digest: hash.digest("hex") };
}

function reason(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
}
