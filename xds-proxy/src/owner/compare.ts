/** What a new state of a namespace changes against an old one. Compares what is claimed; verification is another matter. */
import { stringify } from "yaml";
import { decodeUtf8 } from "../bytes/octets.ts";
import { keyIdOf } from "../crypto/sha256.ts";
import { parseRoot, type RootDocument } from "../envelope/documents.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { describe } from "./describe.ts";
import { diffLines, type DiffLine } from "./line-diff.ts";
import { compareObjects, objectKey, type ObjectName } from "./object-name.ts";
import type { OwnerObject } from "./objects.ts";

/** One side: the root is absent where only sources are compared. */
export interface Snapshot {
  readonly root?: RootDocument;
  readonly objects: ReadonlyMap<string, SnapshotObject>;
}

export interface SnapshotObject extends ObjectName {
  /** The object in clear; undefined when it is sealed. */
  readonly data?: Uint8Array;
  /** Digests of its statements, which is all that can be compared of a sealed object. */
  readonly digests: readonly string[];
}

export interface ObjectChange extends ObjectName {
  readonly kind: "added" | "changed" | "removed";
  readonly sealed: boolean;
  /** Empty where a sealed object is on either side. */
  readonly lines: readonly DiffLine[];
}

export interface Comparison {
  /** Readable sentences about keys and settings. */
  readonly root: readonly DiffLine[];
  readonly objects: readonly ObjectChange[];
}

/** @throws ParseError */
export function snapshotOf(bundle: NamespaceBundle): Snapshot {
  const objects = new Map<string, SnapshotObject>();
  for (const text of bundle.envelopes) {
    const { claims, data } = describe(text);
    const { rt = "", name = "" } = claims;
    const key = objectKey({ rt, name });
    const digests = [...(objects.get(key)?.digests ?? []), claims.cd];
    objects.set(key, { rt, name, digests, ...(claims.rcp === undefined && { data }) });
  }
  const last = bundle.roots.at(-1);
  return { objects, ...(last !== undefined && { root: parseRoot(describe(last).data) }) };
}

export function snapshotOfSources(objects: readonly OwnerObject[]): Snapshot {
  return {
    objects: new Map(objects.map(({ rt, name, data }) => [objectKey({ rt, name }), { rt, name, data, digests: [] }])),
  };
}

export function compareSnapshots(before: Snapshot, after: Snapshot): Comparison {
  const names = [...new Map([...before.objects, ...after.objects]).values()].toSorted(compareObjects);
  return {
    root: before.root && after.root ? changedLines(rootLines(before.root), rootLines(after.root)) : [],
    objects: names.flatMap((name) => {
      const key = objectKey(name);
      return compareObject(before.objects.get(key), after.objects.get(key));
    }),
  };
}

function compareObject(before: SnapshotObject | undefined, after: SnapshotObject | undefined): readonly ObjectChange[] {
  const object = after ?? before;
  if (object === undefined) return [];
  const sides = [before, after].filter((side) => side !== undefined);
  const sealed = sides.some(({ data }) => data === undefined);
  const lines = sealed ? [] : diffLines(yamlLines(before?.data), yamlLines(after?.data));
  const same = sealed
    ? before?.digests.join() === after?.digests.join() && sides.every(({ data }) => data === undefined)
    : lines.every(({ mark }) => mark === " ");
  if (same && sides.length === 2) return [];
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return [{ rt: object.rt, name: object.name, kind, sealed, lines }];
}

function changedLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  return diffLines(before, after).filter(({ mark }) => mark !== " ");
}

function rootLines(root: RootDocument): readonly string[] {
  const { ep, minEp, thresholds, mode, paths, onStale, maxFreshSec } = root;
  return [
    ...[`ep: ${ep}`, `minEp: ${minEp}`],
    ...root.keys.map(({ publicKey, roles }) => `key ${keyIdOf(publicKey)}: ${roles.join(", ")}`),
    ...Object.entries(thresholds).map(([role, count]) => `threshold ${role}: ${count}`),
    ...[
      `mode: ${mode}`,
      `default: ${root.default}`,
      `paths: ${paths}`,
      `onStale: ${onStale}`,
      `maxFreshSec: ${maxFreshSec}`,
    ],
  ];
}

function yamlLines(data: Uint8Array | undefined): readonly string[] {
  const text = data === undefined ? undefined : decodeUtf8(data);
  return text === undefined
    ? []
    : stringify(JSON.parse(text) as unknown, { lineWidth: 0 })
        .trimEnd()
        .split("\n");
}
