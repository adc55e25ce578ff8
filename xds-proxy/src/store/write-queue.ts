/** Accepted sets on their way to the disk: of each only the newest, written together a moment after the first has come. */
import { sizeOf, type AcceptedSet } from "./accepted.ts";

export interface WriteQueueOptions {
  /** Above this they are written at once, before the call returns. */
  readonly maxBytes: number;
  /** A push is several responses, and of one that follows soon only the last state matters. */
  readonly delayMs: number;
  /** Writes all of them in one transaction. */
  readonly write: (sets: readonly AcceptedSet[]) => void;
}

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #sets = new Map<string, { readonly set: AcceptedSet; readonly bytes: number }>();
  #bytes = 0;
  #scheduled: NodeJS.Timeout | undefined;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sets.size;
  }

  find(node: string, typeUrl: string): AcceptedSet | undefined {
    return this.#sets.get(keyOf(node, typeUrl))?.set;
  }

  add(set: AcceptedSet): void {
    const key = keyOf(set.node, set.typeUrl);
    const bytes = sizeOf(set);
    this.#bytes += bytes - (this.#sets.get(key)?.bytes ?? 0);
    this.#sets.set(key, { set, bytes });
    if (this.#bytes > this.#options.maxBytes) this.flush();
    else
      this.#scheduled ??= setTimeout(() => {
        this.flush();
      }, this.#options.delayMs);
  }

  /** What cannot be written is not queued again: the next change of the set brings it once more. */
  flush(): void {
    clearTimeout(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#sets.size === 0) return;
    const sets = [...this.#sets.values()].map(({ set }) => set);
    this.#sets.clear();
    this.#bytes = 0;
    this.#options.write(sets);
  }
}

function keyOf(node: string, typeUrl: string): string {
  return JSON.stringify([node, typeUrl]);
}
