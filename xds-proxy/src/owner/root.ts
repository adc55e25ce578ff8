/** Roots as their owner makes them: the first one, and successors that name other keys or settings. */
import { encodeBase64Url } from "../bytes/base64url.ts";
import { digestOf } from "../crypto/sha256.ts";
import { signStatement } from "../envelope/seal.ts";
import { encodeRoot, parseRoot, type RootDocument, type RootKey } from "../envelope/documents.ts";
import type { Role } from "../envelope/roles.ts";
import { ConfigError } from "../errors.ts";
import type { Signers } from "./publish.ts";

/** What a root says beside its keys; docs/envelope.md section 5 names the choices. */
export type RootSettings = Pick<RootDocument, "mode" | "default" | "paths" | "onStale" | "maxFreshSec">;

export const DEFAULT_SETTINGS: RootSettings = {
  mode: "enforce",
  default: "deny",
  paths: "strict",
  onStale: "keep",
  maxFreshSec: 86_400,
};

export interface SignRootOptions {
  readonly document: RootDocument;
  /** `mailto:` or `https:` contact. */
  readonly sub: string;
  readonly nowMs: number;
  readonly lifetimeSec: number;
  /** Enough for the thresholds of this root and of the one before it. */
  readonly signers: Signers;
}

export interface SignedRoot {
  /** base64url of the envelope. */
  readonly text: string;
  /** What a pin names: base64url SHA-256 of the payload. */
  readonly digest: string;
}

/** @throws ConfigError when the document is not a valid root; UpstreamError SIGNER. */
export async function signRoot({ document, sub, nowMs, lifetimeSec, signers }: SignRootOptions): Promise<SignedRoot> {
  const data = encodeRoot(document);
  try {
    parseRoot(data);
  } catch (cause) {
    throw new ConfigError([{ path: "root", message: cause instanceof Error ? cause.message : "is not valid" }], {
      cause,
    });
  }
  const { ns, mesh, trustDomain, ep } = document;
  const iatSec = Math.trunc(nowMs / 1000);
  const times = { iatSec, expSec: iatSec + lifetimeSec };
  const envelope = await signStatement({ use: "root", ns, mesh, trustDomain, sub, ep, ...times, data, signers });
  return { text: encodeBase64Url(envelope), digest: digestOf(data) };
}

/** A key for each of the roles it has; the same key may be given for several. */
export function rootKeys(
  given: readonly { readonly role: Role; readonly publicKey: Uint8Array }[],
): readonly RootKey[] {
  const byKey = new Map<string, RootKey>();
  for (const { role, publicKey } of given) {
    const id = encodeBase64Url(publicKey);
    const roles = byKey.get(id)?.roles ?? [];
    byKey.set(id, { publicKey, roles: roles.includes(role) ? roles : [...roles, role] });
  }
  return [...byKey.values()];
}
