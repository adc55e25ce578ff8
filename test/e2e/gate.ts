/** A sidecar whose filter is the shipped module, pinned to the given owners, and what one asks of it in a test. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { Code } from "../../xds-proxy/src/gen/codes.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { pinModule } from "../../xds-proxy/src/pin/pin-module.ts";
import type { Policy } from "../scenarios/owner.ts";
import { Sidecar } from "./sidecar.ts";
import type { Push, SidecarOptions } from "./sidecar.ts";

export const SHIPPED_MODULE: string = projectFile("filter/build/wpgate.wasm");

const PATHS = ["/1", "/2", "/3", "/4", "/5"];

interface Delivery {
  /** Absent in an ACK. */
  readonly error: string | undefined;
  readonly refusal: (code: Code) => Promise<string>;
}

export class Gate {
  readonly sidecar: Sidecar;
  /** The file that the next delivery names. */
  module: string;
  readonly #folder: string;
  readonly #workers: number;
  #modules = 0;

  private constructor(parts: { sidecar: Sidecar; module: string; folder: string; workers: number }) {
    this.sidecar = parts.sidecar;
    this.module = parts.module;
    this.#folder = parts.folder;
    this.#workers = parts.workers;
  }

  /** `pin` is the pin's JSON text; without it the module stays as it is shipped. */
  static async start(options: SidecarOptions & { readonly pin?: string }): Promise<Gate> {
    const { pin, ...rest } = options;
    const folder = await mkdtemp(join(tmpdir(), "wpgate-gate-"));
    const module = join(folder, "wpgate.wasm");
    if (pin === undefined) await copyFile(SHIPPED_MODULE, module);
    else await writeFile(module, pinModule(await readFile(SHIPPED_MODULE), pin));
    return new Gate({ sidecar: await Sidecar.start(rest), module, folder, workers: rest.concurrency ?? 1 });
  }

  /** Delivers what must be believed. */
  async accepts(...bundles: readonly NamespaceBundle[]): Promise<void> {
    const { error } = await this.deliver(encodeBundle(bundles));
    if (error !== undefined) throw new Error(`Envoy refuses it: ${error}; ${this.sidecar.envoy.log.tail(5)}`);
  }

  /** Delivers what Envoy itself must refuse, because the filter does, wherever and whenever it looks. */
  async refuses(code: Code, ...bundles: readonly NamespaceBundle[]): Promise<void> {
    const { error, refusal } = await this.deliver(encodeBundle(bundles));
    if (error === undefined) throw new Error(`Envoy accepts what should be ${code}`);
    await refusal(code);
  }

  /** Delivers what Envoy accepts and the filter, by time or by what it remembers, does not apply. */
  async ignores(code: Code, ...bundles: readonly NamespaceBundle[]): Promise<void> {
    const { error, refusal } = await this.deliver(encodeBundle(bundles));
    if (error !== undefined) throw new Error(`Envoy refuses what the filter should ignore: ${error}`);
    await refusal(code);
  }

  /** Pushes a plugin configuration and returns Envoy's answer; `refusal` waits until the filter has logged a code for it. */
  async deliver(configuration: string, how: Pick<Push, "name" | "edit"> = {}): Promise<Delivery> {
    const { log } = this.sidecar.envoy;
    const from = log.count;
    const version = this.sidecar.push({ wasm: this.module, configuration, ...how });
    const { error } = await this.sidecar.origin.waitForAnswer(version);
    const refusal = async (code: Code): Promise<string> =>
      await log.waitFor(new RegExp(`refused ${code}\\b`), { from, timeoutMs: 3_000 });
    return { error, refusal };
  }

  /** Lets the next delivery name another module, in a file of its own. */
  async useModule(wasm: Uint8Array): Promise<void> {
    this.module = join(this.#folder, `wpgate-${String(++this.#modules)}.wasm`);
    await writeFile(this.module, wasm);
  }

  /** The status of a GET. */
  async get(path: string): Promise<number> {
    return (await this.sidecar.get(path)).status;
  }

  /**
   * Waits until exactly these of the paths `/1` to `/5` are let through, on every worker, and stays so for a moment:
   * with policies from `allow`, these are the ones in force. Workers take an update a little later than Envoy answers.
   */
  async enforces(...paths: readonly string[]): Promise<void> {
    let seen = "";
    const isSo = async (): Promise<boolean> => (seen = (await this.#allowed()).join()) === paths.join();
    await until({
      what: `only ${paths.join()} let through`,
      probe: async () => ((await isSo()) && (await sleep(20, true)) && (await isSo()) ? true : undefined),
      context: () => `let through: ${seen}`,
      timeoutMs: 5_000,
    });
  }

  async #allowed(): Promise<readonly string[]> {
    const allowed = new Set<string>();
    const probes = PATHS.flatMap((path) => Array.from({ length: this.#workers * 2 }, () => path));
    for (const path of probes) if ((await this.get(path)) === 200) allowed.add(path);
    return [...allowed];
  }

  /** A counter or gauge of the filter. */
  async metric(name: string): Promise<number> {
    return await this.sidecar.envoy.admin.stat(`wasmcustom.wpgate_${name}`);
  }

  async stop(): Promise<void> {
    await this.sidecar.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A policy that lets `GET path` through. */
export function allow(path: string, more: Partial<Policy> = {}): Policy {
  const spec = { action: "ALLOW", rules: [{ to: [{ operation: { methods: ["GET"], paths: [path] } }] }] };
  return { name: `allow${path.replaceAll("/", "-")}`, spec, ...more };
}
