/** The shipped module in an emulated process, pinned to the given owners, and what one asks of it in a test. */
import { pinModule } from "../../xds-proxy/src/pin/pin-module.ts";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { pinOf } from "../scenarios/owner.ts";
import type { Owner, Policy } from "../scenarios/owner.ts";
import { Emulator } from "./emulator.ts";
import type { Delivery, EmulatorOptions } from "./emulator.ts";
import { shippedModule } from "./shipped-module.ts";

const PATHS = ["/1", "/2", "/3", "/4", "/5"];

export type GateOptions = Omit<EmulatorOptions, "module"> & { readonly module?: Uint8Array };

export class Gate extends Emulator {
  constructor(owners: readonly Owner[], options: GateOptions = {}) {
    super({ module: pinnedModule(owners), ...options });
  }

  /** Delivers bundles as one configuration. */
  bundles(bundles: readonly NamespaceBundle[], delivery: Delivery = {}): "ACK" | "NACK" {
    return this.deliver({ ...delivery, configuration: encodeBundle(bundles) });
  }

  /** Which of the paths `/1` to `/5` are let through, for each worker; `closed` when everything is answered with 503. */
  enforced(plugin = "wpgate"): readonly string[] {
    return this.workers.map((worker) => {
      const statuses = PATHS.map((path) => this.status(path, { plugin, worker }));
      return statuses.every((status) => status === 503) ? "closed" : PATHS.filter((_, i) => statuses[i] === 200).join();
    });
  }

  /** Counters of refusals that are not 0, by code. */
  refusals(): Readonly<Record<string, number>> {
    const counted = [...this.process.metrics].flatMap(([name, value]) => {
      const code = /^wpgate_refused_(\w+)_total$/.exec(name)?.[1];
      return code === undefined ? [] : [[code, Number(value)] as const];
    });
    return Object.fromEntries(counted);
  }
}

const pinned = new Map<string, Uint8Array>();

export function pinnedModule(owners: readonly Owner[]): Uint8Array {
  const pin = pinOf(owners);
  const module = pinned.get(pin) ?? pinModule(shippedModule(), pin);
  pinned.set(pin, module);
  return module;
}

/** A policy that lets `GET path` through. */
export function allow(path: string, more: Partial<Policy> = {}): Policy {
  const spec = { action: "ALLOW", rules: [{ to: [{ operation: { methods: ["GET"], paths: [path] } }] }] };
  return { name: `allow${path.replaceAll("/", "-")}`, spec, ...more };
}
