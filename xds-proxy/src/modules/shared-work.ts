/** One piece of work for all who want the same at the same time; it ends early when the last of them has left. */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  /** @throws what the work throws; the signal's reason when it fires */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.waiting++;
    try {
      return await orAborted(running.result, signal);
    } finally {
      running.waiting--;
      if (running.waiting === 0) this.#leave(key, running);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const running = { controller, waiting: 0, result: work(controller.signal) };
    this.#running.set(key, running);
    return running;
  }

  /** Those who come from now on start anew. */
  #leave(key: string, running: Running<T>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
    running.controller.abort(new Error("nobody waits for it any more"));
  }
}

interface Running<T> {
  readonly controller: AbortController;
  readonly result: Promise<T>;
  waiting: number;
}

async function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
