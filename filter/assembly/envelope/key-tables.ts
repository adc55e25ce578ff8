/** Tables for the keys of the roots that were accepted last, found by the digest of the root and shared by all that is
 *  verified in one VM. A namespace's next root takes the place of the one before it.
 *
 *  Their memory is KEY_TABLES_MAX_COUNT tables, never more: it is used again, not left to the garbage collector. When there is
 *  none, the root that was accepted longest ago gives up its own. */
import { View } from "../bytes/view";
import { KEY_TABLE_BYTES } from "../crypto/p256-key-table";
import { KeyTable, TableMemory } from "./key-table";
import { RootDocument } from "./root-document";

const KEY_TABLES_MAX_COUNT = 16;
const ROOTS_MAX_COUNT = 16;

@final
export class KeyTables extends TableMemory {
  /** The one accepted last at the end. */
  private readonly roots: RootTables[] = [];
  private readonly spare: View[] = [];
  private allocatedCount: i32 = 0;

  /** Lends tables to the keys of a root whose chain was verified. */
  accept(root: RootDocument): void {
    const tables = this.takeOut(root);
    if (this.roots.length == ROOTS_MAX_COUNT) this.roots.shift().drop();
    this.roots.push(tables);
    for (let i = 0; i < root.keys.length; i++) root.keys[i].table = tables.keys[i];
  }

  /** Tables that there are. */
  get count(): i32 {
    return this.allocatedCount - this.spare.length;
  }

  take(asking: KeyTable): View | null {
    for (let i = 0; i < this.roots.length && !this.hasRoom(); i++) {
      if (this.roots[i].keys.includes(asking)) break;
      this.roots[i].drop();
    }
    if (!this.hasRoom()) return null;
    if (this.spare.length > 0) return this.spare.pop();
    this.allocatedCount++;
    return View.of(new Uint8Array(<i32>KEY_TABLE_BYTES));
  }

  giveBack(memory: View): void {
    this.spare.push(memory);
  }

  private hasRoom(): bool {
    return this.count < KEY_TABLES_MAX_COUNT;
  }

  /** Those of this root, if it is known; another root of its namespace is dropped. */
  private takeOut(root: RootDocument): RootTables {
    for (let i = 0; i < this.roots.length; i++) {
      const known = this.roots[i];
      if (!known.ns.equals(root.ns)) continue;
      this.roots.splice(i, 1);
      if (known.digest.equals(root.digest)) return known;
      known.drop();
      break;
    }
    return new RootTables(root, this);
  }
}

@final
class RootTables {
  readonly ns: View;
  readonly digest: View;
  readonly keys: KeyTable[] = [];

  constructor(root: RootDocument, memory: TableMemory) {
    this.ns = root.ns.copy();
    this.digest = root.digest.copy();
    for (let i = 0; i < root.keys.length; i++) this.keys.push(new KeyTable(root.keys[i].publicKey.copy(), memory));
  }

  drop(): void {
    for (let i = 0; i < this.keys.length; i++) this.keys[i].drop();
  }
}
