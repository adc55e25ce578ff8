// Which texts a field takes, as Istio's own validation has it, and nothing whose meaning Envoy would not know.
import { View } from "../bytes/view";
import { parseCidr, parsePort } from "./ip";
import { Field } from "./policy";
import { isTemplate, isValidTemplate } from "./template";

const SERVICE_ACCOUNT_MAX_BYTES = 320;
const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;

/** Whether `value` is one that a condition on `field` may hold. */
export function isValidValue(field: Field, value: View): bool {
  if (value.length == 0 || hasControl(value)) return false;
  switch (field) {
    case Field.RemoteIp:
    case Field.DestinationIp:
      return parseCidr(value) !== null;
    case Field.Port:
      return parsePort(value) >= 0;
    case Field.Path:
      return isValidPath(value);
    case Field.ServiceAccount:
      return isValidServiceAccount(value);
    case Field.TrustDomain:
      return value.indexOf(SLASH) < 0 && hasEdgeWildcardOnly(value);
    default:
      return true;
  }
}

function hasControl(value: View): bool {
  for (let i = 0; i < value.length; i++) if (value.at(i) < 0x20 || value.at(i) == 0x7f) return true;
  return false;
}

/** Braces belong to a template or to nothing. */
function isValidPath(value: View): bool {
  if (isTemplate(value)) return isValidTemplate(value);
  return value.indexOf(0x7b) < 0 && value.indexOf(0x7d) < 0;
}

/** `name` or `namespace/name`. */
function isValidServiceAccount(value: View): bool {
  if (value.length > SERVICE_ACCOUNT_MAX_BYTES || value.indexOf(STAR) >= 0) return false;
  const slash = value.indexOf(SLASH);
  if (slash < 0) return true;
  return slash > 0 && slash < value.length - 1 && value.indexOf(SLASH, slash + 1) < 0;
}

function hasEdgeWildcardOnly(value: View): bool {
  const star = value.indexOf(STAR);
  if (star < 0) return true;
  return (star == 0 || star == value.length - 1) && value.indexOf(STAR, star + 1) < 0;
}
