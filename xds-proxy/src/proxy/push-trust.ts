/** The root namespace's roots, under which pushes are signed: learned from wrapping proxies, kept on disk, never taken back. */
import { parseRoot, type RootDocument } from "../envelope/documents.ts";
import { decodeInput, parseEnvelope } from "../envelope/envelope.ts";
import type { EnvelopeInput } from "../envelope/types.ts";
import type { PinFile } from "../owner/pin.ts";
import type { LearnedRoots } from "../push/types.ts";
import type { KeptNamespace } from "../store/namespaces.ts";
import type { NamespaceKeeper } from "./trust.ts";

export class PushTrust {
  readonly pin: PinFile;
  readonly #keeper: NamespaceKeeper;
  #root: RootDocument | undefined;

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
    this.#root = rootOf(roots);
    const isSame = JSON.stringify([kept?.state, kept?.bundle?.roots]) === JSON.stringify([state, roots]);
    if (!isSame)
      this.#keeper.keepNamespace(this.rootNamespace, { state, bundle: { envelopes: [], ...kept?.bundle, roots } });
  }
}

function rootOf(roots: readonly EnvelopeInput[]): RootDocument | undefined {
  const last = roots.at(-1);
  return last === undefined ? undefined : parseRoot(parseEnvelope(decodeInput(last, "root"), "root").data);
}
