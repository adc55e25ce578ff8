/** Names in claims and roots (docs/envelope.md section 1): RFC 1123 labels and DNS names, in lower case. */

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const DNS_NAME_MAX_CHARS = 253;

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

export function isDnsName(text: string): boolean {
  return text.length <= DNS_NAME_MAX_CHARS && text.split(".").every(isLabel);
}

/** The audience of a namespace's statements: one origin. */
export function audienceOf(place: {
  readonly ns: string;
  readonly mesh: string;
  readonly trustDomain: string;
}): string {
  return `https://${place.ns}.${place.mesh}.${place.trustDomain}`;
}
