/** The multiples of one key of an accepted root, made when they pay: a table costs what it saves in eight signatures, and
 *  is therefore made for a key that has been asked that often. No order of arrival then costs more than twice what the
 *  best one does. Timing: variable; everything here is public. */
import { View } from "../bytes/view";
import { verifyP1363WithTable } from "../crypto/ecdsa";
import { fillKeyTable } from "../crypto/p256-key-table";
import { digestOf } from "./digest";

const USES_BEFORE_TABLE = 8;

/** Where the memory of tables comes from. */
export abstract class TableMemory {
  /** KEY_TABLE_BYTES for a table that is asked for, or null when there is no room. */
  abstract take(asking: KeyTable): View | null;
  abstract giveBack(memory: View): void;
}

@final
export class KeyTable {
  private table: View | null = null;
  private uses: i32 = 0;

  constructor(
    private readonly publicKey: View,
    private readonly memory: TableMemory,
  ) {}

  get isReady(): bool {
    return this.table != null;
  }

  /** Counts a signature that is to be verified; whether `verify` can do it. */
  use(): bool {
    if (this.table != null) return true;
    this.uses++;
    if (this.uses <= USES_BEFORE_TABLE) return false;
    const memory = this.memory.take(this);
    if (memory == null) return false;
    fillKeyTable(memory.ptr, this.publicKey.ptr);
    this.table = memory;
    return true;
  }

  /** @param signature 64 bytes, r then s */
  verify(message: View, signature: View): bool {
    const table = this.table;
    return table != null && verifyP1363WithTable(table.ptr, digestOf(message).ptr, signature.ptr);
  }

  /** Gives the memory back; whoever still has the key goes on without. */
  drop(): void {
    const table = this.table;
    if (table != null) this.memory.giveBack(table);
    this.table = null;
    this.uses = 0;
  }
}
