/** How a namespace's objects are named and ordered (docs/envelope.md section 5, set). */
import { compareUtf8 } from "../bytes/octets.ts";

export interface ObjectName {
  /** `security.istio.io/v1/AuthorizationPolicy` */
  readonly rt: string;
  /** `team-a/allow-read` */
  readonly name: string;
}

export function compareObjects(a: ObjectName, b: ObjectName): number {
  return compareUtf8(a.rt, b.rt) || compareUtf8(a.name, b.name);
}

/** One text for each object, for maps; a type never holds a space. */
export function objectKey({ rt, name }: ObjectName): string {
  return `${rt} ${name}`;
}

/** What people read and type: `AuthorizationPolicy/allow-read`. */
export function displayName({ rt, name }: ObjectName): string {
  return `${rt.slice(rt.lastIndexOf("/") + 1)}/${name.slice(name.indexOf("/") + 1)}`;
}
