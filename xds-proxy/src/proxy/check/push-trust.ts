/** The root namespace's roots, under which pushes are signed: learned from wrapping proxies, kept on disk, never taken back. */
import { parseRoot, type RootDocument } from "../../envelope/documents.ts";
import { decodeInput, parseEnvelope } from "../../envelope/envelope.ts";
import { mergeRoots } from "../../envelope/state.ts";
import type { EnvelopeInput } from "../../envelope/types.ts";
import type { PinFile } from "../../owner/pin.ts";
import type { LearnedRoots } from "../../push/types.ts";
import type { KeptNamespace } from "../../store/namespaces.ts";
import type { NamespaceKeeper } from "./trust.ts";

export class PushTrust {
  readonly pin: PinFile;
  readonly #keeper: NamespaceKeeper;
  #root: RootDocument | undefined;
  #changesCount = 0;

  constructor(pin: PinFile, keeper: NamespaceKeeper) {
    this.pin = pin;
    this.#keeper = keeper;
    this.#root = rootOf(this.roots);
  }

  get rootNamespace(): string {
    return this.pin.rootNamespace;
  }

  /** The last verified root, which says what staleness means here; undefined before the first. */
  get root(): RootDocument | undefined {
    return this.#root;
  }

  /** Grows whenever there are other roots: streams that are open have to hear of them. */
  get changesCount(): number {
    return this.#changesCount;
  }

  /** After statements of the root namespace have come on another way. */
  refresh(): void {
    this.#root = rootOf(this.roots);
    this.#changesCount++;
  }

  get kept(): KeptNamespace | undefined {
    return this.#keeper.namespaces().get(this.rootNamespace);
  }

  get roots(): readonly EnvelopeInput[] {
    return this.kept?.bundle?.roots ?? [];
  }

  /** On disk when it returns. */
  learn({ state, roots, taken }: LearnedRoots): void {
    if (!taken) return;
    const { kept } = this;
    const merged = mergeRoots(kept?.state, state);
    // Statements that came meanwhile may have brought a later chain.
    if (kept && merged.ep > state.ep) return;
    const isSame = JSON.stringify([kept?.state, kept?.bundle?.roots]) === JSON.stringify([merged, roots]);
    if (isSame) return;
    this.#keeper.keepNamespace(this.rootNamespace, {
      ...{ state: merged, bundle: { envelopes: [], ...kept?.bundle, roots } },
    });
    this.refresh();
  }
}

function rootOf(roots: readonly EnvelopeInput[]): RootDocument | undefined {
  const last = roots.at(-1);
  return last === undefined ? undefined : parseRoot(parseEnvelope(decodeInput(last, "root"), "root").data);
}
