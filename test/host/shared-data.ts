/** Shared data of one `vm_id`: values with a number that changes with each write. */
import { Status } from "./status.ts";

interface Entry {
  readonly value: Uint8Array;
  readonly cas: number;
}

export class SharedData {
  readonly entries: Map<string, Entry> = new Map<string, Entry>();
  #lastCas = 0;

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** `cas` 0 writes whatever is there. */
  set(key: string, value: Uint8Array, cas: number): number {
    const known = this.entries.get(key);
    if (cas !== 0 && known !== undefined && known.cas !== cas) return Status.casMismatch;
    this.entries.set(key, { value: value.slice(), cas: ++this.#lastCas });
    return Status.ok;
  }
}
