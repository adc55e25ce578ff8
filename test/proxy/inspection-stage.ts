/** One node's inspection with an Envoy behind it that accepts what it gets, and a disk that outlives both. */
import type { Recipient } from "../../xds-proxy/src/envelope/types.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import type { PinFile } from "../../xds-proxy/src/owner/pin.ts";
import { Inspection, type InspectionResult } from "../../xds-proxy/src/proxy/check/inspection.ts";
import type { CodeFiles } from "../../xds-proxy/src/proxy/check/owner-extension.ts";
import { Trust, type KeptNamespace, type NamespaceKeeper } from "../../xds-proxy/src/proxy/check/trust.ts";
import type { Resource } from "../../xds-proxy/src/xds/resource.ts";
import { readResponse, type Response } from "../../xds-proxy/src/xds/response.ts";
import { EXTENSION, TYPES, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { wireResponse } from "./wire-response.ts";

export type Forms = ReadonlyMap<string, Resource>;

/** Has every module, whose path is its digest. */
export class Files implements CodeFiles {
  readonly asked: string[] = [];
  missing: boolean = false;

  localPath({ url, sha256 }: { url: string; sha256: string }): Promise<string> {
    this.asked.push(url);
    return this.missing
      ? Promise.reject(new UpstreamError("UNAVAILABLE", "the registry does not answer"))
      : Promise.resolve(`/modules/${sha256}.wasm`);
  }

  sha256Of(path: string): string | undefined {
    return /^\/modules\/([0-9a-f]{64})\.wasm$/.exec(path)?.[1];
  }
}

/** What a store keeps, without a disk. */
export class Memory implements NamespaceKeeper {
  readonly #namespaces = new Map<string, KeptNamespace>();
  readonly accepted: Map<string, Forms> = new Map<string, Forms>();

  namespaces(): ReadonlyMap<string, KeptNamespace> {
    return this.#namespaces;
  }

  keepNamespace(ns: string, kept: KeptNamespace): void {
    this.#namespaces.set(ns, kept);
  }
}

export interface StageOptions {
  readonly protocol: Protocol;
  readonly pin: PinFile;
  readonly nowMs: number;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly recipientVariable?: string;
  readonly recipient?: Recipient;
}

export class InspectionStage {
  readonly options: StageOptions;
  readonly files: Files = new Files();
  readonly memory: Memory = new Memory();
  nowMs: number;
  stale = false;
  /** What Envoy says it has before it gets anything. */
  initial: readonly string[] = [];
  trust!: Trust;
  inspection!: Inspection;
  #accepted = new Map<string, Map<string, Resource>>();
  #version = 0;

  constructor(options: StageOptions) {
    this.options = options;
    this.nowMs = options.nowMs;
    this.restart();
  }

  /** Another process with the same disk, and an Envoy that has to be told everything. */
  restart(): void {
    const { pin, protocol, recipient, recipientVariable, namespace = "team-a", labels = {} } = this.options;
    this.#accepted = new Map();
    this.trust = new Trust({ pin, keeper: this.memory, recipient, nowMs: () => this.nowMs });
    this.inspection = new Inspection({
      ...{ protocol, trust: this.trust, files: this.files, namespace, labels, recipient: recipientVariable },
      isStale: () => this.stale,
      accepted: (typeUrl) => this.accepted(typeUrl),
      kept: (typeUrl) => this.kept(typeUrl),
      initial: () => this.initial,
      wants: () => true,
    });
  }

  accepted(typeUrl: string): Forms {
    return this.#accepted.get(typeUrl) ?? new Map<string, Resource>();
  }

  kept(typeUrl: string): Forms {
    const accepted = this.accepted(typeUrl);
    if (accepted.size === 0) return this.memory.accepted.get(typeUrl) ?? new Map<string, Resource>();
    return new Map([...accepted].map(([name, resource]) => [name, this.inspection.originOf(resource)]));
  }

  /** As it comes from the wire. */
  response(typeUrl: string, contents: Readonly<Record<string, Uint8Array>>, removed: readonly string[] = []): Response {
    const { protocol } = this.options;
    return readResponse(
      wireResponse({ protocol, typeUrl, nonce: String(++this.#version), contents, removed }),
      protocol,
    );
  }

  async send(
    typeUrl: string,
    contents: Readonly<Record<string, Uint8Array>>,
    removed: readonly string[] = [],
  ): Promise<InspectionResult> {
    return this.take(await this.inspection.inspect(this.response(typeUrl, contents, removed)));
  }

  /** Envoy accepts it. */
  take(result: InspectionResult): InspectionResult {
    const { delivery, typeUrl } = result;
    const isWhole = this.options.protocol === "sotw" && TYPES.get(typeUrl)?.fullState === true;
    const accepted = (isWhole ? undefined : this.#accepted.get(typeUrl)) ?? new Map<string, Resource>();
    for (const resource of delivery?.resources ?? []) accepted.set(resource.name, resource);
    for (const name of delivery?.removed ?? []) accepted.delete(name);
    this.#accepted.set(typeUrl, accepted);
    this.memory.accepted.set(typeUrl, new Map(this.kept(typeUrl)));
    return result;
  }

  /** Value of what Envoy has. */
  has(typeUrl: string, name: string): Uint8Array | undefined {
    return this.accepted(typeUrl).get(name)?.value;
  }

  extension(name: string): Uint8Array {
    return this.has(EXTENSION, name) ?? new Uint8Array();
  }
}

/** `code outcome resource` */
export function faultsOf({ refused }: InspectionResult): readonly string[] {
  return refused.map(({ code, outcome, resource }) => `${code} ${outcome} ${resource}`);
}
