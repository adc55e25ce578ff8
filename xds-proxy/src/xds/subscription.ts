/** What one client wants of one type, as it says it in either protocol, and how to say it again on another stream. */
import { NO_REQUEST, type Request } from "./request.ts";
import type { Protocol } from "./type-url.ts";

const ALL = "*";

export class Subscription {
  readonly #protocol: Protocol;
  readonly #names: Set<string>;
  #all: boolean;
  /** Whether "all" is said by naming nothing, which ends with the first name (xDS protocol, "Wildcard subscriptions"). */
  #silent: boolean;

  /** @param first - the first request of the type */
  constructor(first: Request, protocol: Protocol) {
    const names = protocol === "sotw" ? first.names : first.subscribe;
    this.#protocol = protocol;
    this.#silent = names.length === 0;
    this.#all = this.#silent || names.includes(ALL);
    this.#names = new Set(names.filter((name) => name !== ALL));
  }

  /** Whether a name is wanted, also as one of all. */
  wants(name: string): boolean {
    return this.#all || this.#names.has(name);
  }

  get all(): boolean {
    return this.#all;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  get empty(): boolean {
    return !this.#all && this.#names.size === 0;
  }

  /** Takes a later request of the same type. Returns whether the server has to hear of it. */
  change(request: Request): boolean {
    return this.#protocol === "sotw" ? this.#replace(request.names) : this.#edit(request);
  }

  /** The request that makes all of it known on a stream that has not heard of it.
   *  @param known - version by name of what the client has already (delta) */
  request(typeUrl: string, version: string, known: Readonly<Record<string, string>>): Request {
    const names = this.list();
    if (this.#protocol === "sotw") return { ...NO_REQUEST, typeUrl, version, names };
    return { ...NO_REQUEST, typeUrl, subscribe: names, initialVersions: known };
  }

  /** The names as a client says them. */
  list(): readonly string[] {
    return this.#all && !this.#silent ? [ALL, ...this.#names] : [...this.#names];
  }

  #replace(names: readonly string[]): boolean {
    if (names.length > 0) this.#silent = false;
    const all = names.includes(ALL) || this.#silent;
    const next = names.filter((name) => name !== ALL);
    const same = all === this.#all && next.length === this.#names.size && next.every((name) => this.#names.has(name));
    if (same) return false;
    this.#all = all;
    this.#names.clear();
    for (const name of next) this.#names.add(name);
    return true;
  }

  #edit({ subscribe, unsubscribe }: Request): boolean {
    if (subscribe.length > 0 || unsubscribe.includes(ALL)) this.#silent = false;
    for (const name of unsubscribe) {
      if (name === ALL) this.#all = false;
      else this.#names.delete(name);
    }
    for (const name of subscribe) {
      if (name === ALL) this.#all = true;
      else this.#names.add(name);
    }
    return subscribe.length > 0 || unsubscribe.length > 0;
  }
}
