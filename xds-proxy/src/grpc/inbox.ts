/** What came and was not taken yet: a queue with one reader, who says when he has room. */
import type { UpstreamError } from "../errors.ts";

type Taken = IteratorResult<Uint8Array, undefined>;

export class Inbox implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #queue: Uint8Array[] = [];
  readonly #askForOne: () => void;
  #reader: { readonly resolve: (taken: Taken) => void; readonly reject: (reason: UpstreamError) => void } | undefined;
  #closed = false;
  #reason: UpstreamError | undefined;

  /** @param askForOne - called once for each message that is taken */
  constructor(askForOne: () => void) {
    this.#askForOne = askForOne;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  put(message: Uint8Array): void {
    if (this.#closed) return;
    if (this.#reader === undefined) this.#queue.push(message);
    else this.#give(message);
  }

  /** What is in the queue is delivered first. */
  close(reason?: UpstreamError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    if (this.#reader === undefined) return;
    const { resolve, reject } = this.#reader;
    this.#reader = undefined;
    this.#reason = undefined;
    if (reason === undefined) resolve({ done: true, value: undefined });
    else reject(reason);
  }

  next(): Promise<Taken> {
    const value = this.#queue.shift();
    if (value !== undefined) {
      this.#askForOne();
      return Promise.resolve({ done: false, value });
    }
    if (!this.#closed) return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
    const reason = this.#reason;
    this.#reason = undefined;
    return reason === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(reason);
  }

  /** A reader who has seen enough. */
  return(): Promise<Taken> {
    this.#queue.length = 0;
    this.#closed = true;
    this.#reason = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  #give(message: Uint8Array): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve({ done: false, value: message });
    this.#askForOne();
  }
}
