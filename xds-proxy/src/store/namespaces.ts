/** Trust floors and the last verified bundle of each namespace, one row each, on the disk before anybody uses them. */
import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import { equals, utf8 } from "../bytes/octets.ts";
import { parseTrustState } from "../envelope/state.ts";
import type { TrustState } from "../envelope/types.ts";
import { InternalError, ParseError, ConfigError, VerifyError } from "../errors.ts";
import { encodeBundle, parseBundle, type NamespaceBundle } from "../owner/bundle.ts";
import { unusable } from "./failure.ts";
import { fallOf } from "./floor.ts";

export interface KeptNamespace {
  readonly state: TrustState;
  /** What was verified when the state became this one. */
  readonly bundle?: NamespaceBundle;
}

interface Row {
  readonly ns: string;
  readonly state: string;
  readonly bundle: string | null;
  readonly digest: Uint8Array;
}

export class Namespaces {
  readonly #path: string;
  readonly #all: Database.Statement<[], Row>;
  readonly #keep: (ns: string, kept: KeptNamespace) => void;
  /** The last state that this process read or wrote, which tells a bug from another process that was faster. */
  readonly #known: Map<string, TrustState> = new Map<string, TrustState>();

  constructor(database: Database.Database, path: string) {
    this.#path = path;
    this.#all = database.prepare("SELECT ns, state, bundle, digest FROM namespace ORDER BY ns");
    const one: Database.Statement<[string], Row> = database.prepare(
      "SELECT ns, state, bundle, digest FROM namespace WHERE ns = ?",
    );
    const write = database.prepare("INSERT OR REPLACE INTO namespace (ns, state, bundle, digest) VALUES (?, ?, ?, ?)");
    const replace = database.transaction((ns: string, kept: KeptNamespace) => {
      const row = one.get(ns);
      if (row !== undefined) this.#checkFloor(ns, this.#read(row).state, kept.state);
      const state = JSON.stringify(kept.state);
      const bundle = kept.bundle === undefined ? null : encodeBundle([kept.bundle]);
      const digest = digestOf({ ns, state, bundle });
      if (row === undefined || !equals(row.digest, digest)) write.run(ns, state, bundle, digest);
    });
    this.#keep = (ns, kept): void => {
      replace.immediate(ns, kept);
    };
  }

  /** @throws ConfigError when a row is not as it was written */
  all(): ReadonlyMap<string, KeptNamespace> {
    const kept = new Map(this.#all.all().map((row) => [row.ns, this.#read(row)]));
    for (const [ns, { state }] of kept) this.#known.set(ns, state);
    return kept;
  }

  /** On the disk when it returns.
   *  @throws InternalError when it falls behind what this process knows; VerifyError ROLLBACK or EQUIVOCATION when it
   *  falls behind what another process has written since */
  keep(ns: string, kept: KeptNamespace): void {
    this.#keep(ns, kept);
    this.#known.set(ns, kept.state);
  }

  #checkFloor(ns: string, stored: TrustState, next: TrustState): void {
    const known = this.#known.get(ns);
    const bug = known && fallOf(known, next);
    if (bug) throw new InternalError(`the trust state of ${ns} would fall: ${bug.reason}`, { where: ns });
    const fall = fallOf(stored, next);
    if (fall)
      throw new VerifyError(fall.code, `another proxy with the same state folder knows better: ${fall.reason}`, {
        where: ns,
      });
  }

  #read(row: Row): KeptNamespace {
    if (!equals(row.digest, digestOf(row))) throw this.#damaged(row.ns);
    try {
      const [bundle] = row.bundle === null ? [] : parseBundle(row.bundle, this.#path).sets;
      return { state: parseTrustState(utf8(row.state)), ...(bundle === undefined ? {} : { bundle }) };
    } catch (cause) {
      if (cause instanceof ParseError || cause instanceof ConfigError) throw this.#damaged(row.ns, cause);
      throw cause;
    }
  }

  #damaged(ns: string, cause?: unknown): ConfigError {
    return unusable(this.#path, `what it holds of the namespace ${ns} is not what was written`, { cause });
  }
}

function digestOf({ ns, state, bundle }: Omit<Row, "digest">): Uint8Array {
  return hash("sha256", JSON.stringify([ns, state, bundle]), "buffer");
}
