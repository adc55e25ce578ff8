/** What all VMs of one emulated process share: clock, node, shared data, metrics, log, and the faults that a test wants. */
import { verifySignature } from "./foreign-functions.ts";
import type { ForeignFunction } from "./foreign-functions.ts";
import { bytesOf, encodePairs } from "./pairs.ts";
import { SharedData } from "./shared-data.ts";

/** Which of the VMs of a process: the one that tries an update first, the main thread's, a worker's (0, 1, …). */
export type Thread = "canary" | "main" | number;

export interface HostCall {
  readonly name: string;
  readonly thread: Thread;
}

/** The status that a call fails with; undefined lets it happen. */
export type Fault = (call: HostCall) => number | undefined;

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly thread: Thread;
}

export interface NodeMetadata {
  readonly NAMESPACE?: string;
  readonly LABELS?: Readonly<Record<string, string>>;
}

export class HostProcess {
  nowMs: number = Date.now();
  /** What passes while a callback runs. */
  timerNs: () => bigint = () => process.hrtime.bigint();
  fault: Fault = () => undefined;
  readonly foreignFunctions: Map<string, ForeignFunction> = new Map([["verify_signature", verifySignature]]);
  readonly metrics: Map<string, bigint> = new Map<string, bigint>();
  readonly log: LogLine[] = [];
  readonly node: NodeMetadata;
  readonly #sharedData = new Map<string, SharedData>();

  constructor(node: NodeMetadata) {
    this.node = node;
  }

  sharedData(vmId: string): SharedData {
    const known = this.#sharedData.get(vmId) ?? new SharedData();
    this.#sharedData.set(vmId, known);
    return known;
  }

  /** Envoy drops the data of a `vm_id` with its last VM. */
  dropSharedData(vmId: string): void {
    this.#sharedData.delete(vmId);
  }

  /** Properties that do not need a request. */
  property(path: string): Uint8Array | undefined {
    const { NAMESPACE, LABELS } = this.node;
    if (path === "xds\0node\0metadata\0NAMESPACE") return NAMESPACE === undefined ? undefined : bytesOf(NAMESPACE);
    if (path === "xds\0node\0metadata\0LABELS") return LABELS && encodePairs(Object.entries(LABELS));
    return undefined;
  }
}
