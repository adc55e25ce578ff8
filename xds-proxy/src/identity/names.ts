/** Names of Kubernetes objects as identities have them: RFC 1123 labels, and subdomains of them. */

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN_MAX_CHARS = 253;

/** Of a namespace. */
export function isNamespaceName(text: string): boolean {
  return LABEL.test(text);
}

/** Of a pod or a service account. */
export function isObjectName(text: string): boolean {
  return text.length <= SUBDOMAIN_MAX_CHARS && text.split(".").every((part) => LABEL.test(part));
}
