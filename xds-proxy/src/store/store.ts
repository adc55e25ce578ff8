/**
 * What a proxy remembers across restarts, in one SQLite file (WAL, `synchronous = FULL`): trust floors with the bundles
 * that were verified under them, durable before anybody uses them, and the last resources that each Envoy accepted.
 *
 * Several processes may have the file open. All calls are synchronous; one that waits for another process blocks at most
 * five seconds. What is damaged, foreign or of a newer version is refused and left as it is.
 */
import type Database from "better-sqlite3";
import { LimitError } from "../errors.ts";
import type { Resource } from "../xds/resource.ts";
import { AcceptedSets, type AcceptedLimits, type AcceptedSet } from "./accepted.ts";
import { openDatabase } from "./database.ts";
import { onFile } from "./failure.ts";
import { Namespaces, type KeptNamespace } from "./namespaces.ts";
import { WriteQueue } from "./write-queue.ts";

export interface StoreLimits extends AcceptedLimits {
  /** Of the file. Floors have room as long as this is a good deal more than `acceptedMaxBytes`. */
  readonly fileMaxBytes: number;
  /** Of accepted resources that are not written yet. */
  readonly queueMaxBytes: number;
  /** Of accepted resources on their way to the disk: what a crash may cost, where the upstream does not send it again. */
  readonly writeDelayMs: number;
}

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

export const STORE_LIMITS: StoreLimits = {
  fileMaxBytes: 1024 * MIB,
  queueMaxBytes: 64 * MIB,
  writeDelayMs: 250,
  acceptedMaxBytes: 256 * MIB,
  nodesMaxCount: 1_000,
  nodeMaxAgeMs: 14 * DAY_MS,
};

export interface StoreOptions {
  readonly limits?: Partial<StoreLimits>;
  /** Milliseconds since 1970, for the age of nodes. */
  readonly now?: () => number;
  /** Accepted resources could not be written or read: the proxy goes on, and after a restart they are not there. */
  readonly onFault?: (error: unknown) => void;
}

export class Store {
  readonly path: string;
  /** There was no file: nothing is known of what was seen before. */
  readonly isNew: boolean;
  readonly #database: Database.Database;
  readonly #namespaces: Namespaces;
  readonly #accepted: AcceptedSets;
  readonly #queue: WriteQueue;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;

  private constructor(folder: string, options: StoreOptions) {
    const limits = { ...STORE_LIMITS, ...options.limits };
    const { database, path, isNew } = openDatabase(folder, limits.fileMaxBytes);
    this.path = path;
    this.isNew = isNew;
    this.#database = database;
    this.#now = options.now ?? Date.now;
    this.#onFault = options.onFault ?? ((): undefined => undefined);
    this.#queue = new WriteQueue({
      maxBytes: limits.queueMaxBytes,
      delayMs: limits.writeDelayMs,
      write: (sets) => {
        this.#write(sets);
      },
    });
    try {
      this.#namespaces = onFile(path, () => new Namespaces(database, path));
      this.#accepted = onFile(path, () => new AcceptedSets(database, path, limits));
      this.namespaces();
      this.#tolerating(() => {
        database
          .transaction(() => {
            this.#accepted.dropForgotten(this.#now());
          })
          .immediate();
      });
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** @throws ConfigError when the file is damaged, foreign, newer or cannot be written; UpstreamError when the disk is full or fails */
  static open(folder: string, options: StoreOptions = {}): Store {
    return new Store(folder, options);
  }

  /** As they are on the disk now. @throws ConfigError */
  namespaces(): ReadonlyMap<string, KeptNamespace> {
    return onFile(this.path, () => this.#namespaces.all());
  }

  /** On the disk when it returns; state and bundle replace what was there as one.
   *  @throws InternalError when the state would fall; VerifyError ROLLBACK, EQUIVOCATION when another process with the
   *  same file has seen more; UpstreamError when it cannot be written, and then it must not be used */
  keepNamespace(ns: string, kept: KeptNamespace): void {
    onFile(this.path, () => {
      this.#namespaces.keep(ns, kept);
    });
  }

  /** None when nothing is known, or when what is there is damaged. */
  accepted(node: string, typeUrl: string): readonly Resource[] {
    return this.#find(node, typeUrl)?.resources ?? [];
  }

  /** `version_info` of the response that brought the accepted resources; `""` when nothing is known. */
  typeVersion(node: string, typeUrl: string): string {
    return this.#find(node, typeUrl)?.typeVersion ?? "";
  }

  /** The types that something is kept of, in the order in which they came first. */
  acceptedTypes(node: string): readonly string[] {
    this.flush();
    return this.#tolerating(() => this.#accepted.typeUrls(node)) ?? [];
  }

  /** Replaces all of this type; written with all others of the same moment. The bytes are kept until then,
   *  not copied. */
  keepAccepted(node: string, typeUrl: string, resources: readonly Resource[], typeVersion = ""): void {
    this.#queue.add({ node, typeUrl, resources, typeVersion });
  }

  /** Accepted sets that are not on the disk yet. */
  get queuedCount(): number {
    return this.#queue.count;
  }

  /** Writes what is queued now. */
  flush(): void {
    this.#queue.flush();
  }

  close(): void {
    if (!this.#database.open) return;
    this.flush();
    this.#database.close();
  }

  #find(node: string, typeUrl: string): AcceptedSet | undefined {
    return this.#queue.find(node, typeUrl) ?? this.#tolerating(() => this.#accepted.read(node, typeUrl));
  }

  /** One transaction for all; a set that is too large alone is left out. */
  #write(sets: readonly AcceptedSet[]): void {
    const faults: unknown[] = [];
    this.#tolerating(() => {
      this.#database
        .transaction(() => {
          for (const set of sets) {
            try {
              this.#accepted.write(set, this.#now());
            } catch (error) {
              if (!(error instanceof LimitError)) throw error;
              faults.push(error);
            }
          }
        })
        .immediate();
    });
    for (const fault of faults) this.#onFault(fault);
  }

  /** A cache that fails is one that is empty. */
  #tolerating<T>(action: () => T): T | undefined {
    try {
      return onFile(this.path, action);
    } catch (error) {
      this.#onFault(error);
      return undefined;
    }
  }
}
