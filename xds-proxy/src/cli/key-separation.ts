/** A key that signs must not decrypt too (RFC 8292 section 3.2): checked wherever roots and recipients meet. */
import { keyIdOf } from "../crypto/sha256.ts";
import type { RootKey } from "../envelope/documents.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import { usageError } from "./failure.ts";

/** @throws ConfigError */
export function refuseSharedKeys(keys: readonly RootKey[], recipients: readonly RecipientPublic[]): void {
  const signing = new Set(keys.map(({ publicKey }) => keyIdOf(publicKey)));
  const both = recipients.map(({ p256dh }) => keyIdOf(p256dh)).find((id) => signing.has(id));
  if (both !== undefined)
    throw usageError(
      `key ${both}`,
      "would both sign and decrypt",
      "make the workload a key of its own with wpgate keygen --recipient",
    );
}
