/** What a test has opened, to be closed in the reverse order, also when not all could be opened. */
export class Opened {
  readonly #closers: (() => void | Promise<void>)[] = [];

  add<T>(opened: T, close: (opened: T) => void | Promise<void>): T {
    this.#closers.push(() => close(opened));
    return opened;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
