/**
 * Extension configurations (ECDS) of one node: statements of owners inside are verified before Envoy sees them, code is
 * fetched and checked, and what istiod added to the environment is taken away. What is not good is replaced.
 */
import { codeOf, ConfigError, ParseError, WpgateError } from "../../errors.ts";
import { checkExtension } from "../../guard/check.ts";
import type { Guard } from "../../guard/types.ts";
import { encodeBundle, readConfiguration, type NamespaceBundle } from "../../owner/bundle.ts";
import { RECIPIENT_VARIABLE } from "../../owner/recipient.ts";
import type { Wasm } from "../../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import type { Trust } from "./trust.ts";
import {
  codeSourceOf,
  readWasmExtension,
  statementsIn,
  withConfiguration,
  withLocalCode,
  withoutIstioMeta,
  withVariable,
  writeWasmExtension,
  type CodeSource,
  type WasmExtension,
} from "./wasm-extension.ts";

export interface ExtensionFault {
  readonly code: string;
  readonly reason: string;
}

export interface ExtensionVerdict {
  /** What Envoy may get; absent where nothing of it can be used. */
  readonly value?: Uint8Array;
  readonly faults: readonly ExtensionFault[];
}

/** Where code comes from and how it gets to a file. */
export interface CodeFiles {
  /** Fetches what is not here yet. Rejects with WpgateError. */
  localPath(source: CodeSource): Promise<string>;
  /** Of a file, lower-case hex; undefined when it cannot be read. */
  sha256Of(path: string): string | undefined;
}

export interface OwnerExtensionOptions {
  readonly trust: Trust;
  readonly files: CodeFiles;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The value of WPGATE_RECIPIENT for the VM of the guarded filter, and for no other. */
  readonly recipient?: string | undefined;
}

export class OwnerExtensions {
  readonly #options: OwnerExtensionOptions;

  constructor(options: OwnerExtensionOptions) {
    this.#options = options;
  }

  /** @param value - TypedExtensionConfig */
  async judge(name: string, value: Uint8Array): Promise<ExtensionVerdict> {
    try {
      const extension = readWasmExtension(value);
      return extension ? await this.#judgeWasm(name, extension) : this.#guarded(name, value, []);
    } catch (error) {
      if (error instanceof ParseError) return { faults: [{ code: "PROTO", reason: error.message }] };
      throw error;
    }
  }

  async #judgeWasm(name: string, { wasm: given, configuration }: WasmExtension): Promise<ExtensionVerdict> {
    let wasm: Wasm = withoutIstioMeta(given);
    const statements = this.#statements(configuration);
    const faults = [...(statements?.faults ?? [])];
    if (statements === undefined && this.#isGuardedFilter(name))
      return { faults: [{ code: "PAYLOAD", reason: "its configuration holds no statements of wpgate" }] };
    if (statements && faults.length > 0) {
      if (statements.known.length === 0) return { faults };
      wasm = withConfiguration(wasm, encodeBundle(statements.known));
    }
    const guarded = this.#guarded(name, writeWasmExtension({ name, wasm }), faults);
    if (guarded.value === undefined) return guarded;
    const source = codeSourceOf(given);
    if (source !== undefined && /^(?:https?|oci):/.test(source.url)) {
      try {
        wasm = withLocalCode(wasm, await this.#options.files.localPath(source));
      } catch (error) {
        if (!(error instanceof WpgateError)) throw error;
        return { faults: [...faults, { code: codeOf(error), reason: error.message }] };
      }
    }
    const { recipient } = this.#options;
    if (recipient !== undefined)
      wasm = withVariable(wasm, RECIPIENT_VARIABLE, this.#isGuardedFilter(name) ? recipient : undefined);
    return { value: writeWasmExtension({ name, wasm }), faults };
  }

  #guarded(name: string, value: Uint8Array, faults: readonly ExtensionFault[]): ExtensionVerdict {
    const { files } = this.#options;
    const findings = checkExtension(value, this.#guards(), { sha256OfFile: (path) => files.sha256Of(path) });
    if (findings.length === 0) return { value, faults };
    return {
      faults: [
        ...faults,
        ...findings.map(({ clause, where, reason }) => ({ code: clause, reason: `${where}: ${reason}` })),
      ],
    };
  }

  #guards(): readonly Guard[] {
    return this.#options.trust.guardsFor(this.#options.namespace, this.#options.labels);
  }

  #isGuardedFilter(name: string): boolean {
    return this.#guards().some(({ filter }) => filter.extension === name);
  }

  /** What owners say in it, as far as it is theirs; undefined where it is not such a configuration. */
  #statements(configuration: string | undefined): Statements | undefined {
    const value = configuration === undefined ? undefined : statementsIn(configuration);
    if (configuration === undefined || value === undefined) return undefined;
    const { trust, namespace } = this.#options;
    const namespaces = trust.namespacesFor(namespace);
    const known = (): readonly NamespaceBundle[] => namespaces.flatMap((ns) => trust.known(ns)?.bundle ?? []);
    try {
      const verdicts = trust.consider(configuration, readConfiguration(value, "configuration").sets);
      const refused = verdicts.flatMap((verdict) =>
        verdict.result === "ok"
          ? []
          : [
              {
                code: verdict.result,
                reason: `${verdict.ns}: ${[verdict.where, verdict.reason].filter(Boolean).join(": ")}`,
              },
            ],
      );
      const present = verdicts.map(({ ns }) => ns);
      const missing = namespaces.filter((ns) => trust.known(ns) && !present.includes(ns));
      const omitted = missing.map((ns) => ({ code: "OMITTED", reason: `the statements of ${ns} were left out` }));
      return { faults: [...refused, ...omitted], known: known() };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { faults: [{ code: "PAYLOAD", reason: error.message }], known: known() };
    }
  }
}

interface Statements {
  readonly faults: readonly ExtensionFault[];
  /** The last verified ones of the namespaces that apply. */
  readonly known: readonly NamespaceBundle[];
}
