/**
 * SPIFFE identities of workloads (SPIFFE-ID, X509-SVID) in Istio's form `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT`.
 * Node shows the names of a certificate as one text, in which a name that holds `, URI:…` would look like two; such names come
 * quoted as JSON strings, and are read back here.
 */
import type { X509Certificate } from "node:crypto";
import { isNamespaceName, isObjectName } from "./names.ts";
import type { Workload } from "./types.ts";

export interface SpiffeId extends Workload {
  readonly trustDomain: string;
}

/** SPIFFE-ID section 2.1 and 2.3: bytes of a whole id, characters of a trust domain. */
const ID_MAX_BYTES = 2048;
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const ID = /^spiffe:\/\/([^/]*)\/ns\/([^/]*)\/sa\/([^/]*)$/;

/** undefined for everything that is not exactly of the form. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > ID_MAX_BYTES) return undefined;
  const [, trustDomain = "", namespace = "", serviceAccount = ""] = ID.exec(text) ?? [];
  const good = TRUST_DOMAIN.test(trustDomain) && isNamespaceName(namespace) && isObjectName(serviceAccount);
  return good ? { trustDomain, namespace, serviceAccount } : undefined;
}

/** `TYPE:value`, the value bare or a JSON string. What is bare holds neither a quote nor a comma (Node.js, `X509Certificate.subjectAltName`). */
const NAME = /([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, (?=.)|$)/y;

/** The URI names of a certificate, SPIFFE or not, as they are in it; none when the names are not understood. */
export function uriNamesOf({ subjectAltName = "" }: Pick<X509Certificate, "subjectAltName">): readonly string[] {
  const uris: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < subjectAltName.length) {
    const found = NAME.exec(subjectAltName);
    if (found === null) return [];
    const [, type, value = ""] = found;
    const text = value.startsWith('"') ? unquoted(value) : value;
    if (text === undefined) return [];
    if (type === "URI") uris.push(text);
  }
  return uris;
}

function unquoted(value: string): string | undefined {
  try {
    const text: unknown = JSON.parse(value);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}
