/**
 * What speaks against resources by the Guards of one node, found out again only where something has changed: istiod says all
 * of it anew with each push, and most of it is the same.
 */
import { equals } from "../../bytes/octets.ts";
import { checkCluster, checkEndpoints, checkListener, checkRoutes, exposureKey } from "../../guard/check.ts";
import type { ClusterView } from "../../guard/cluster-view.ts";
import type { Guard, GuardFinding } from "../../guard/types.ts";
import type { Resource } from "../../xds/resource.ts";
import { CLUSTER, ENDPOINTS, LISTENER, ROUTES } from "../../xds/type-url.ts";

type Check = (value: Uint8Array, guards: readonly Guard[], view: ClusterView) => readonly GuardFinding[];

const CHECKS: ReadonlyMap<string, Check> = new Map([
  [LISTENER, checkListener],
  [ROUTES, checkRoutes],
  [CLUSTER, checkCluster],
  [ENDPOINTS, checkEndpoints],
]);

/** What a verdict depends on beside the resource. */
interface Ground {
  readonly guards: readonly Guard[];
  readonly view: ClusterView;
  readonly exposure: string;
}

interface Found {
  readonly value: Uint8Array;
  readonly guards: readonly Guard[];
  readonly exposure: string;
  readonly findings: readonly GuardFinding[];
}

export class GuardFindings {
  readonly #found = new Map<string, Found>();
  #ground: Ground | undefined;

  of(typeUrl: string, { name, value }: Resource, guards: readonly Guard[], view: ClusterView): readonly GuardFinding[] {
    const check = CHECKS.get(typeUrl);
    if (check === undefined || guards.length === 0) return [];
    const ground = this.#groundOf(guards, view);
    const key = `${typeUrl} ${name}`;
    const before = this.#found.get(key);
    if (before?.guards === ground.guards && before.exposure === ground.exposure && equals(before.value, value))
      return before.findings;
    const findings = check(value, guards, view);
    this.#found.set(key, { value, guards: ground.guards, exposure: ground.exposure, findings });
    return findings;
  }

  /** Forgets what is gone. */
  keepOnly(typeUrl: string, names: ReadonlyMap<string, unknown>): void {
    const prefix = `${typeUrl} `;
    for (const key of this.#found.keys())
      if (key.startsWith(prefix) && !names.has(key.slice(prefix.length))) this.#found.delete(key);
  }

  #groundOf(guards: readonly Guard[], view: ClusterView): Ground {
    const before = this.#ground;
    const isSame = before?.guards.length === guards.length && before.guards.every((guard, i) => guard === guards[i]);
    if (before && isSame && before.view === view) return before;
    const same = before && isSame ? before.guards : guards;
    return (this.#ground = { guards: same, view, exposure: exposureKey(view, guards) });
  }
}
