/**
 * A process like Envoy 1.40 as a Wasm filter sees it: an update is tried by a canary VM and then taken by the main thread and
 * each worker; one that the canary refuses is a NACK and changes nothing; a worker that disagrees with the canary goes on
 * without the filter and says nothing. Behind the filter stands the belt, which wants the filter's mark.
 */
import { createHash } from "node:crypto";
import { bytesOf } from "./pairs.ts";
import type { Pair } from "./pairs.ts";
import { HostProcess } from "./process.ts";
import type { NodeMetadata, Thread } from "./process.ts";
import { hostFunctions } from "./host-functions.ts";
import { LoadRefusal, VirtualMachine } from "./virtual-machine.ts";
import type { Stream } from "./virtual-machine.ts";

export interface EmulatorOptions {
  readonly module: Uint8Array;
  readonly workers?: number;
  readonly node?: NodeMetadata;
}

/** A plugin as a control plane delivers it. */
export interface Delivery {
  /** `wpgate` when absent; one that exists is replaced. */
  readonly name?: string;
  readonly configuration?: string | Uint8Array;
  readonly vmId?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly module?: Uint8Array;
  /** Runs before each VM takes the update: clocks move between threads. */
  readonly before?: (thread: Thread) => void;
}

export interface RequestOptions {
  readonly plugin?: string;
  readonly worker?: number;
  readonly method?: string;
  readonly host?: string;
  readonly headers?: readonly Pair[];
  readonly rawHeaders?: Uint8Array;
  /** By path, its segments joined by dots. */
  readonly attributes?: Readonly<Record<string, string | Uint8Array>>;
}

export interface Answer {
  readonly status: number;
  /** Of the local response; `belt` where the mark is missing, `upstream` where the request went through. */
  readonly details: string;
  readonly filterState: ReadonlyMap<string, string>;
  readonly body: string;
}

/** One plugin on one thread; without a root context the thread goes on without it. */
interface Handle {
  readonly vm: VirtualMachine | undefined;
  readonly rootId: number;
}

interface Plugin {
  readonly key: string;
  readonly delivery: Delivery;
  readonly handles: Map<Thread, Handle>;
}

const ACTION_CONTINUE = 0;
const modules = new Map<string, WebAssembly.Module>();

export class Emulator {
  readonly process: HostProcess;
  readonly #module: Uint8Array;
  readonly #threads: readonly Thread[];
  readonly #plugins = new Map<string, Plugin>();
  /** By thread and VM key. */
  readonly #vms = new Map<string, VirtualMachine>();

  constructor({ module, workers = 1, node = { NAMESPACE: "team-a", LABELS: { app: "shop" } } }: EmulatorOptions) {
    this.process = new HostProcess(node);
    this.#module = module;
    this.#threads = ["main", ...Array.from({ length: workers }, (_, i) => i)];
  }

  /** Numbers of the workers. */
  get workers(): readonly number[] {
    return this.#threads.filter((thread) => typeof thread === "number");
  }

  /** Threads on which a plugin is missing because they disagreed with the canary. */
  bypassed(plugin = "wpgate"): readonly Thread[] {
    return [...this.#pluginNamed(plugin).handles].flatMap(([thread, { vm }]) => (vm ? [] : [thread]));
  }

  /** VMs that are alive, without the canaries. */
  get vmCount(): number {
    return this.#vms.size;
  }

  deliver(delivery: Delivery): "ACK" | "NACK" {
    const { name = "wpgate", before } = delivery;
    const key = this.#keyOf(delivery);
    before?.("canary");
    if (this.#start(this.#newVm(delivery, "canary"), delivery) === undefined) return "NACK";
    const plugin: Plugin = { key, delivery, handles: new Map() };
    for (const thread of this.#threads) {
      before?.(thread);
      plugin.handles.set(thread, this.#take(delivery, thread));
    }
    const replaced = this.#plugins.get(name);
    this.#plugins.set(name, plugin);
    if (replaced) this.#release(replaced);
    return "ACK";
  }

  /** Removes a plugin, and its VMs when no other plugin uses them. */
  remove(name = "wpgate"): void {
    const plugin = this.#pluginNamed(name);
    this.#plugins.delete(name);
    this.#release(plugin);
  }

  /** Sends one request through filter and belt on one worker. */
  request(path: string, options: RequestOptions = {}): Answer {
    const { plugin = "wpgate", worker = 0 } = options;
    const handle = this.#alive(this.#pluginNamed(plugin), worker);
    const stream = streamOf(path, options);
    if (handle.vm === undefined) return belt(stream);
    try {
      const action = handle.vm.request(handle.rootId, stream);
      if (stream.localResponse) return { ...stream.localResponse, filterState: stream.filterState };
      if (action !== ACTION_CONTINUE) return answer(stream, 0, "paused for ever");
      return belt(stream);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return answer(stream, 503, "trap");
    }
  }

  status(path: string, options?: RequestOptions): number {
    return this.request(path, options).status;
  }

  tick(): void {
    for (const vm of this.#vms.values()) if (!vm.hasTrapped) vm.tick();
  }

  /** The live VM of a plugin. */
  vm(thread: Thread = 0, plugin = "wpgate"): VirtualMachine {
    const vm = this.#pluginNamed(plugin).handles.get(thread)?.vm;
    if (!vm) throw new Error(`${plugin} has no VM on ${thread}`);
    return vm;
  }

  /** A counter or gauge; 0 when it was never defined. */
  metric(name: string): number {
    return Number(this.process.metrics.get(name) ?? 0n);
  }

  /** Texts of the log, oldest first. */
  logTexts(): readonly string[] {
    return this.process.log.map(({ text }) => text);
  }

  #pluginNamed(name: string): Plugin {
    const plugin = this.#plugins.get(name);
    if (!plugin) throw new Error(`no plugin ${name}`);
    return plugin;
  }

  #keyOf({ vmId = "", environment = {}, module = this.#module }: Delivery): string {
    return JSON.stringify([vmId, environment, createHash("sha256").update(module).digest("hex")]);
  }

  #newVm({ vmId = "", environment = {}, module = this.#module }: Delivery, thread: Thread): VirtualMachine | undefined {
    const digest = createHash("sha256").update(module).digest("hex");
    const compiled = modules.get(digest) ?? new WebAssembly.Module(module);
    modules.set(digest, compiled);
    const { process } = this;
    try {
      return new VirtualMachine({
        ...{ hostFunctions, module: compiled, thread, process, environment },
        sharedData: process.sharedData(vmId),
      });
    } catch (error) {
      if (error instanceof LoadRefusal) return undefined;
      throw error;
    }
  }

  #start(vm: VirtualMachine | undefined, { configuration = "" }: Delivery): number | undefined {
    return vm?.startPlugin(bytesOf(configuration));
  }

  /** The thread's VM of that key, or a new one, with a root context for the update. */
  #take(delivery: Delivery, thread: Thread): Handle {
    const slot = `${thread} ${this.#keyOf(delivery)}`;
    const live = this.#vms.get(slot);
    const vm = live && !live.hasTrapped ? live : this.#newVm(delivery, thread);
    const rootId = this.#start(vm, delivery);
    if (vm === undefined || rootId === undefined) return { vm: undefined, rootId: 0 };
    this.#vms.set(slot, vm);
    return { vm, rootId };
  }

  /** FAIL_RELOAD: a VM that has trapped is replaced by a new one. */
  #alive(plugin: Plugin, thread: Thread): Handle {
    const handle = plugin.handles.get(thread);
    if (!handle) throw new Error(`no thread ${thread}`);
    if (!handle.vm?.hasTrapped) return handle;
    const reloaded = this.#take(plugin.delivery, thread);
    plugin.handles.set(thread, reloaded);
    return reloaded;
  }

  #release(plugin: Plugin): void {
    for (const { vm, rootId } of plugin.handles.values()) vm?.deleteContext(rootId);
    if ([...this.#plugins.values()].some(({ key }) => key === plugin.key)) return;
    for (const thread of this.#threads) this.#vms.delete(`${thread} ${plugin.key}`);
    const vmId = plugin.delivery.vmId ?? "";
    if (![...this.#plugins.values()].some(({ delivery }) => (delivery.vmId ?? "") === vmId))
      this.process.dropSharedData(vmId);
  }
}

/** A request as Envoy hands it to a filter. */
export function streamOf(path: string, options: RequestOptions = {}): Stream {
  const { method = "GET", host = "shop.team-a.example", headers = [], attributes = {} } = options;
  const all = { "source.address": "10.0.0.1:40000", "destination.address": "10.0.0.2:8080", ...attributes };
  return {
    headers: [[":method", method], [":path", path], [":authority", host], [":scheme", "http"], ...headers],
    attributes: new Map(Object.entries(all).map(([name, value]) => [name.replaceAll(".", "\0"), bytesOf(value)])),
    filterState: new Map(),
    ...(options.rawHeaders && { rawHeaders: options.rawHeaders }),
  };
}

function belt(stream: Stream): Answer {
  return stream.filterState.get("wasm.ok") === "1" ? answer(stream, 200, "upstream") : answer(stream, 403, "belt");
}

function answer({ filterState }: Stream, status: number, details: string): Answer {
  return { status, details, body: "", filterState };
}
