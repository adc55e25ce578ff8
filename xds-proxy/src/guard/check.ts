/** What the proxy asks: do these bytes keep what the owner's Guards say? */
import type { ClusterView } from "./cluster-view.ts";
import type { Guard, GuardFinding, ParsedGuard } from "./types.ts";

export interface ExtensionOptions {
  /** Lower case hex SHA-256 of a module in a local file; undefined when it cannot be read. */
  readonly sha256OfFile?: (filename: string) => string | undefined;
}

export function parseGuard(_data: Uint8Array): ParsedGuard {
  return { faults: [] };
}
export function appliesTo(_guard: Guard, _labels: Readonly<Record<string, string>>): boolean {
  return true;
}
export function checkListener(
  _value: Uint8Array,
  _guards: readonly Guard[],
  _view: ClusterView,
): readonly GuardFinding[] {
  return [];
}
export function isProtected(_value: Uint8Array, _guards: readonly Guard[]): boolean {
  return false;
}
export function checkRoutes(
  _value: Uint8Array,
  _guards: readonly Guard[],
  _view: ClusterView,
): readonly GuardFinding[] {
  return [];
}
export function checkCluster(
  _value: Uint8Array,
  _guards: readonly Guard[],
  _view: ClusterView,
): readonly GuardFinding[] {
  return [];
}
export function checkEndpoints(
  _value: Uint8Array,
  _guards: readonly Guard[],
  _view: ClusterView,
): readonly GuardFinding[] {
  return [];
}
export function checkExtension(
  _value: Uint8Array,
  _guards: readonly Guard[],
  _options?: ExtensionOptions,
): readonly GuardFinding[] {
  return [];
}
export function denyAllListener(value: Uint8Array): Uint8Array {
  return value;
}
export function denyAllExtension(_name: string): Uint8Array {
  return new Uint8Array();
}

export { discoveredExtensions, discoveredRoutes } from "./listener.ts";
