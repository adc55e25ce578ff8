/**
 * Sets of two policies that alternate, and what is asked of them. `/mix-even` is allowed by the ALLOW policy of an even set
 * and denied by its DENY policy; an odd set names it in neither, and denies what it does not allow. `/mix-odd` is the mirror
 * image. So each set alone denies both, and one policy of an even set with the other one of an odd set allows one of them.
 */
import type { Policy } from "../../scenarios/owner.ts";

export type Status = 200 | 403;

export function policiesOf(version: number): readonly Policy[] {
  const [own, other] = version % 2 === 0 ? ["even", "odd"] : ["odd", "even"];
  const rules = (...paths: readonly string[]): unknown => [{ to: [{ operation: { paths } }] }];
  return [
    {
      name: "allow",
      spec: { action: "ALLOW", rules: rules("/always", `/${own}`, `/mix-${own}`, `/version/${version}`) },
    },
    { name: "deny", spec: { action: "DENY", rules: rules(`/${other}`, `/mix-${own}`, "/denied-by-all") } },
  ];
}

/** What is asked while a set is the newest one. */
export function pathsOf(version: number): readonly string[] {
  const versions = [version, version - 1, version + 1].map((number) => `/version/${number}`);
  return [
    "/always",
    "/even",
    "/mix-even",
    "/odd",
    "/mix-odd",
    "/denied-by-all",
    "/named-by-none",
    ...versions,
    "/even",
  ];
}

/** What a set says to a path. */
export function statusOf(path: string, version: number): Status {
  const allowed = ["/always", version % 2 === 0 ? "/even" : "/odd", `/version/${version}`];
  return allowed.includes(path) ? 200 : 403;
}
