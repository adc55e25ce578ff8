/** The last resources that each Envoy accepted of each type: a cache, bounded, of which only changed rows are written. */
import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import { equals } from "../bytes/octets.ts";
import { LimitError, UpstreamError } from "../errors.ts";
import { readDeltaResource, readSotwResource, type Resource } from "../xds/resource.ts";
import { shortName } from "../xds/type-url.ts";

/** All of one type that one Envoy accepted. */
export interface AcceptedSet {
  readonly node: string;
  readonly typeUrl: string;
  /** Of the response, or `""`. */
  readonly typeVersion: string;
  readonly resources: readonly Resource[];
}

export interface AcceptedLimits {
  /** Of all sets together; the nodes that were not seen for longest make room. */
  readonly acceptedMaxBytes: number;
  readonly nodesMaxCount: number;
  /** Older ones are dropped when the store is opened. */
  readonly nodeMaxAgeMs: number;
}

interface Row {
  readonly name: string;
  readonly version: string;
  readonly isDelta: number;
  readonly digest: Uint8Array;
  readonly body: Uint8Array;
}

/** A node's time is written again only after this long, so that a set without changes costs no write. */
const SEEN_STEP_MS = 3_600_000;

/** Every method runs inside a transaction of its caller. */
export class AcceptedSets {
  readonly #limits: AcceptedLimits;
  readonly #path: string;
  readonly #sql: Statements;

  constructor(database: Database.Database, path: string, limits: AcceptedLimits) {
    this.#limits = limits;
    this.#path = path;
    this.#sql = statementsOf(database);
  }

  dropForgotten(nowMs: number): void {
    this.#sql.dropOlder.run(nowMs - this.#limits.nodeMaxAgeMs);
    this.#sql.dropOldest.run(this.#limits.nodesMaxCount);
  }

  typeUrls(node: string): readonly string[] {
    return this.#sql.typeUrls.all(node).map(({ typeUrl }) => typeUrl);
  }

  /** @throws UpstreamError when a row is not as it was written */
  read(node: string, typeUrl: string): AcceptedSet | undefined {
    const found = this.#sql.set.get(node, typeUrl);
    if (found === undefined) return undefined;
    const resources = this.#sql.resources.all(found.id).map((row) => {
      const { name, version, isDelta, digest, body } = row;
      if (!equals(digest, digestOf(body)))
        throw new UpstreamError("PROTOCOL", `${this.#path}: ${shortName(typeUrl)} ${name} of ${node} is damaged`, {
          where: name,
        });
      if (isDelta === 1) return readDeltaResource(body);
      return { ...readSotwResource(body, typeUrl), name, version };
    });
    return { node, typeUrl, typeVersion: found.typeVersion, resources };
  }

  drop(node: string, typeUrl: string): void {
    this.#sql.dropSet.run(node, typeUrl);
  }

  /** @throws LimitError when the set is larger than all sets may be together; what was there of it is dropped then */
  write(set: AcceptedSet, nowMs: number): void {
    const bytes = sizeOf(set);
    const nodeId = this.#nodeId(set.node, nowMs);
    const acceptedId = this.#acceptedId(nodeId, set, bytes);
    this.#makeRoom(set, nodeId, bytes);
    const stored = new Map(this.#sql.digests.all(acceptedId).map((row) => [keyOf(row.name, row.repeat), row]));
    const repeats = new Map<string, number>();
    for (const resource of set.resources) {
      const repeat = repeats.get(resource.name) ?? 0;
      repeats.set(resource.name, repeat + 1);
      const key = keyOf(resource.name, repeat);
      this.#writeResource(acceptedId, { resource, repeat, stored: stored.get(key) });
      stored.delete(key);
    }
    for (const { name, repeat } of stored.values()) this.#sql.deleteResource.run(acceptedId, name, repeat);
  }

  #nodeId(name: string, nowMs: number): number {
    const node = this.#sql.node.get(name);
    if (node === undefined) {
      this.#sql.dropOldest.run(this.#limits.nodesMaxCount - 1);
      return Number(this.#sql.insertNode.run(name, nowMs).lastInsertRowid);
    }
    if (nowMs - node.seenMs > SEEN_STEP_MS) this.#sql.touchNode.run(nowMs, node.id);
    return node.id;
  }

  #acceptedId(nodeId: number, { node, typeUrl, typeVersion }: AcceptedSet, bytes: number): number {
    const found = this.#sql.set.get(node, typeUrl);
    if (found === undefined)
      return Number(this.#sql.insertSet.run(nodeId, typeUrl, typeVersion, bytes).lastInsertRowid);
    if (found.typeVersion !== typeVersion || found.bytes !== bytes)
      this.#sql.updateSet.run(typeVersion, bytes, found.id);
    return found.id;
  }

  #makeRoom({ node, typeUrl }: AcceptedSet, nodeId: number, bytes: number): void {
    while ((this.#sql.totalBytes.get()?.total ?? 0) > this.#limits.acceptedMaxBytes) {
      if (this.#sql.dropOldestOther.run(nodeId).changes > 0) continue;
      this.drop(node, typeUrl);
      throw new LimitError(
        `${shortName(typeUrl)} of ${node} has ${bytes} bytes, and all accepted resources may have ${this.#limits.acceptedMaxBytes}`,
        { where: typeUrl, hint: "without it this Envoy gets these resources only when the upstream answers" },
      );
    }
  }

  #writeResource(acceptedId: number, { resource, repeat, stored }: ResourceWrite): void {
    const { name, version, any, delta } = resource;
    const body = delta ?? any;
    const digest = digestOf(body);
    const isDelta = delta === undefined ? 0 : 1;
    if (stored?.version === version && stored.isDelta === isDelta && equals(stored.digest, digest)) return;
    this.#sql.writeResource.run(acceptedId, name, repeat, version, isDelta, digest, body);
  }
}

interface ResourceWrite {
  readonly resource: Resource;
  readonly repeat: number;
  readonly stored: Digest | undefined;
}

/** What a row costs beside name and content, so that many small ones do not take the room of the floors. */
const ROW_BYTES = 128;

export function sizeOf({ resources }: Pick<AcceptedSet, "resources">): number {
  return resources.reduce((sum, { name, any, delta }) => sum + ROW_BYTES + 2 * name.length + (delta ?? any).length, 0);
}

function digestOf(body: Uint8Array): Uint8Array {
  return hash("sha256", body, "buffer");
}

function keyOf(name: string, repeat: number): string {
  return `${repeat} ${name}`;
}

interface Digest {
  readonly name: string;
  readonly repeat: number;
  readonly version: string;
  readonly isDelta: number;
  readonly digest: Uint8Array;
}

interface SetRow {
  readonly id: number;
  readonly typeVersion: string;
  readonly bytes: number;
}

type Statements = ReturnType<typeof statementsOf>;

/** Prepared once; the types are what the columns of schema.ts hold. */
function statementsOf(database: Database.Database) {
  const prepare = <P extends unknown[], R = never>(sql: string): Database.Statement<P, R> =>
    database.prepare<P, R>(sql);
  return {
    node: prepare<[string], { id: number; seenMs: number }>("SELECT id, seenMs FROM node WHERE name = ?"),
    insertNode: prepare<[string, number]>("INSERT INTO node (name, seenMs) VALUES (?, ?)"),
    touchNode: prepare<[number, number]>("UPDATE node SET seenMs = ? WHERE id = ?"),
    dropOlder: prepare<[number]>("DELETE FROM node WHERE seenMs < ?"),
    dropOldest: prepare<[number]>(
      "DELETE FROM node WHERE id IN (SELECT id FROM node ORDER BY seenMs DESC, id DESC LIMIT -1 OFFSET ?)",
    ),
    dropOldestOther: prepare<[number]>(
      "DELETE FROM node WHERE id = (SELECT id FROM node WHERE id != ? ORDER BY seenMs, id LIMIT 1)",
    ),
    set: prepare<[string, string], SetRow>(
      "SELECT a.id, a.typeVersion, a.bytes FROM accepted a JOIN node n ON n.id = a.nodeId WHERE n.name = ? AND a.typeUrl = ?",
    ),
    typeUrls: prepare<[string], { typeUrl: string }>(
      "SELECT a.typeUrl FROM accepted a JOIN node n ON n.id = a.nodeId WHERE n.name = ? ORDER BY a.id",
    ),
    insertSet: prepare<[number, string, string, number]>(
      "INSERT INTO accepted (nodeId, typeUrl, typeVersion, bytes) VALUES (?, ?, ?, ?)",
    ),
    updateSet: prepare<[string, number, number]>("UPDATE accepted SET typeVersion = ?, bytes = ? WHERE id = ?"),
    dropSet: prepare<[string, string]>(
      "DELETE FROM accepted WHERE nodeId = (SELECT id FROM node WHERE name = ?) AND typeUrl = ?",
    ),
    totalBytes: prepare<[], { total: number | null }>("SELECT sum(bytes) AS total FROM accepted"),
    resources: prepare<[number], Row>(
      "SELECT name, version, isDelta, digest, body FROM resource WHERE acceptedId = ? ORDER BY rowid",
    ),
    digests: prepare<[number], Digest>(
      "SELECT name, repeat, version, isDelta, digest FROM resource WHERE acceptedId = ?",
    ),
    writeResource: prepare<[number, string, number, string, number, Uint8Array, Uint8Array]>(
      `INSERT INTO resource (acceptedId, name, repeat, version, isDelta, digest, body) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (acceptedId, name, repeat) DO UPDATE SET
         version = excluded.version, isDelta = excluded.isDelta, digest = excluded.digest, body = excluded.body`,
    ),
    deleteResource: prepare<[number, string, number]>(
      "DELETE FROM resource WHERE acceptedId = ? AND name = ? AND repeat = ?",
    ),
  };
}
