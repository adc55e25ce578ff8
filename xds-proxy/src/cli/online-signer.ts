/**
 * The online signer: keeps the set of a WasmPlugin fresh, right in the API server. It reads what others may write, so it
 * signs only what `readConfirmation` lets pass, and writes nothing but its own field.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { TrustState } from "../envelope/types.ts";
import { UpstreamError, VerifyError } from "../errors.ts";
import { applyFresh } from "../kubernetes/fresh-field.ts";
import { readPluginConfig } from "../kubernetes/plugin-config.ts";
import type { LivePlugin, PluginName, WasmPlugins } from "../kubernetes/wasm-plugins.ts";
import type { PluginConfiguration } from "../owner/bundle.ts";
import { summarizeFresh, type FreshSummary } from "../owner/bundle-summary.ts";
import { confirmed, readConfirmation, renewalAtSec, type Confirmation } from "../owner/confirmation.ts";
import { claimedNamespace } from "../owner/outer-fresh.ts";
import { signFresh } from "../owner/publish.ts";
import { shownPlugin } from "./cluster-options.ts";
import type { CliContext } from "./context.ts";
import { warnOfExpiry } from "./expiry.ts";
import { readTextInput, replaceFile } from "./files.ts";
import type { SignerOptions } from "./options.ts";
import { openOwnerFolder, type OwnerFolder } from "./owner-folder.ts";
import { checkSigners, freshSignersFor, signersFor } from "./signers.ts";
import { parseStates, writeStates } from "./state-file.ts";
import { printable, warn } from "./ui.ts";

export interface OnlineSignerOptions extends SignerOptions {
  readonly dir: string;
  readonly plugin: PluginName;
  /** Lifetime in seconds; the root's maximum when absent. */
  readonly for?: number;
  /** Where what was seen is kept over a restart. */
  readonly state?: string;
}

export interface Attempt {
  readonly renewed: boolean;
  readonly setVer: string;
  /** What counts now. */
  readonly fresh: FreshSummary;
  readonly renewalAtSec: number;
}

/** How often it is read again when others change the object at the same time. */
const TRIES = 5;

export class OnlineSigner {
  readonly #context: CliContext;
  readonly #plugins: WasmPlugins;
  readonly #options: OnlineSignerOptions;
  #seen: ReadonlyMap<string, TrustState> = new Map();
  #warned = "";

  private constructor(context: CliContext, plugins: WasmPlugins, options: OnlineSignerOptions) {
    this.#context = context;
    this.#plugins = plugins;
    this.#options = options;
  }

  /** @throws ConfigError: what no patience helps against, such as a key that is not there */
  static async open(context: CliContext, plugins: WasmPlugins, options: OnlineSignerOptions): Promise<OnlineSigner> {
    const signer = new OnlineSigner(context, plugins, options);
    await signer.#signers(openOwnerFolder(context, options.dir));
    const { state } = options;
    if (state !== undefined && existsSync(resolve(context.cwd, state)))
      signer.#seen = parseStates(await readTextInput(context, state), state);
    return signer;
  }

  /**
   * Reads the object, and renews what is in it when that is due, or in any case.
   * @throws VerifyError when it must not be signed; UpstreamError
   */
  async attempt({ inAnyCase }: { readonly inAnyCase: boolean }): Promise<Attempt> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(inAnyCase);
      } catch (error) {
        if (tries === TRIES || !(error instanceof UpstreamError) || error.code !== "CHANGED") throw error;
      }
    }
  }

  async #attempt(inAnyCase: boolean): Promise<Attempt> {
    const folder = openOwnerFolder(this.#context, this.#options.dir);
    const ns = folder.config.namespace;
    const { live, config } = await this.#read();
    const bundle = config.sets.find((set) => claimedNamespace(set.roots) === ns);
    if (bundle === undefined)
      throw new VerifyError("SET_MISMATCH", `there is no part of ${ns}`, { where: shownPlugin(live) });
    const others = [config.fresh.get(ns)].filter((text) => text !== undefined);
    const nowMs = this.#context.nowMs();
    const found = readConfirmation({ pin: folder.pin, ns, bundle, others, nowMs, seen: this.#seen.get(ns) });
    this.#remember(ns, found.seen);
    const dueSec = renewalAtSec(found);
    if (!inAnyCase && found.fresh !== undefined && nowMs < dueSec * 1000)
      return { renewed: false, setVer: found.set.ver, fresh: summarizeFresh(found.fresh.text), renewalAtSec: dueSec };
    this.#warn(found);
    const text = await this.#sign(folder, found);
    const fresh = summarizeFresh(text);
    await applyFresh(this.#plugins, live, { ns, text });
    this.#remember(ns, confirmed(found, fresh));
    const next = { ...found, fresh: { ...fresh, text }, strangers: false };
    return { renewed: true, setVer: found.set.ver, fresh, renewalAtSec: renewalAtSec(next) };
  }

  async #read(): Promise<{ readonly live: LivePlugin; readonly config: PluginConfiguration }> {
    const { plugin } = this.#options;
    const live = await this.#plugins.get(plugin);
    const config = live && readPluginConfig(live.object, shownPlugin(plugin));
    if (live !== undefined && config !== undefined) return { live, config };
    const what = live === undefined ? "there is no WasmPlugin" : "no bundle of wpgate is in the WasmPlugin";
    throw new UpstreamError("NOT_FOUND", `${what} ${shownPlugin(plugin)}`, {
      hint: "bring it there with wpgate apply",
    });
  }

  async #sign(folder: OwnerFolder, { published, root, set, nextVer }: Confirmation): Promise<string> {
    const signers = await this.#signers(folder);
    checkSigners(signers, "fresh", published.root.document);
    const { namespace: ns, mesh, trustDomain, contact, lifetimeSec } = folder.config;
    const freshSec = Math.min(this.#options.for ?? root.maxFreshSec, root.maxFreshSec);
    const identity = {
      ...{ ns, mesh, trustDomain, ep: root.ep },
      sub: contact,
      lifetimeSec: lifetimeSec.cfg,
      freshSec,
    };
    return await signFresh({ identity, nowMs: this.#context.nowMs(), set, ver: nextVer, freshSigners: signers });
  }

  async #signers(folder: OwnerFolder): ReturnType<typeof signersFor> {
    const context = this.#context;
    if (this.#options.signer !== undefined) return await signersFor(context, folder, "fresh", this.#options);
    return await freshSignersFor(context, folder, () => signersFor(context, folder, "cfg"));
  }

  #remember(ns: string, state: TrustState): void {
    const before = this.#seen.get(ns);
    this.#seen = new Map([...this.#seen, [ns, state]]);
    const { state: path } = this.#options;
    if (path === undefined || JSON.stringify(before) === JSON.stringify(state)) return;
    replaceFile({ path: resolve(this.#context.cwd, path), content: writeStates(this.#seen) });
  }

  /** The set is the owner's; that something else in the object is spoilt is for people to know. */
  #warn({ published }: Confirmation): void {
    warnOfExpiry(this.#context, published);
    const faults = published.notKept.map(({ where, error }) => `${where}: ${error.code}, ${error.message}`).join("; ");
    if (faults !== "" && faults !== this.#warned)
      warn(this.#context, `the set is the owner's, but consumers refuse what is beside it: ${printable(faults)}`);
    this.#warned = faults;
  }
}
