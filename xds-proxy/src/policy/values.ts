/** Which texts a field of an AuthorizationPolicy takes: Istio's validation, and nothing that Envoy would refuse or misread. */
import { isIPv4, isIPv6 } from "node:net";
import type { Field } from "./types.ts";

const SERVICE_ACCOUNT_MAX_BYTES = 320;
const PORT = /^(?:0|[1-9][0-9]{0,4})$/;
const CIDR = /^([^/%]+)(?:\/(0|[1-9][0-9]{0,2}))?$/;
const TEMPLATE = /\{\*\*?\}/;
const TEMPLATE_SEGMENT = /^(?:\{\*\*?\}|[-a-zA-Z0-9._~%!$&'()+,;:@=]+)$/;
// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** What is wrong with `value` as a value of `field`; undefined when nothing is. */
export function valueFault(field: Field, value: string): string | undefined {
  if (value === "") return "must not be empty";
  if (CONTROL.test(value)) return "must not contain control characters";
  return CHECKS[field]?.(value);
}

type Check = (value: string) => string | undefined;

const CHECKS: Partial<Record<Field, Check>> = {
  remoteIp: cidrFault,
  destinationIp: cidrFault,
  port: (value) => (PORT.test(value) && Number(value) <= 65535 ? undefined : "must be a port from 0 to 65535"),
  path: pathFault,
  serviceAccount: serviceAccountFault,
  trustDomain: trustDomainFault,
};

function cidrFault(value: string): string | undefined {
  const [, address = "", bits = "0"] = CIDR.exec(value) ?? [];
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return Number(bits) <= most ? undefined : "must be an IP address or a CIDR block";
}

export function isTemplate(path: string): boolean {
  return TEMPLATE.test(path);
}

function pathFault(value: string): string | undefined {
  if (!isTemplate(value)) return /[{}]/.test(value) ? "braces are for {*} and {**} only" : undefined;
  const segments = value.replace(/(?<=.)\/$/, "").split("/");
  if (segments.shift() !== "") return "a path template must begin with a slash";
  if (!segments.every((segment) => TEMPLATE_SEGMENT.test(segment)))
    return "each segment of a path template must be {*}, {**} or plain text of a URL path";
  const wildcards = segments.filter(isTemplate);
  return wildcards.slice(0, -1).includes("{**}") ? "{**} must be the last wildcard" : undefined;
}

function serviceAccountFault(value: string): string | undefined {
  if (Buffer.byteLength(value) > SERVICE_ACCOUNT_MAX_BYTES) return "is too long";
  if (value.includes("*")) return "must not contain a wildcard";
  return /^[^/]+(?:\/[^/]+)?$/.test(value) ? undefined : "must be name or namespace/name";
}

function trustDomainFault(value: string): string | undefined {
  return /^(?:\*?[^*/]*|[^*/]*\*)$/.test(value) ? undefined : "must be a trust domain with at most one * at an end";
}
