import { pinModule } from "../../../xds-proxy/src/pin/pin-module.ts";
import type { CaseFile } from "../../corpus/case.ts";
import { NOW_SEC } from "../../corpus/forge.ts";
import { namespaceCase, object } from "../../corpus/namespace.ts";
import { HostProcess } from "../../host/process.ts";
import { SharedData } from "../../host/shared-data.ts";
import { shippedModule } from "../../host/shipped-module.ts";
import { streamOf } from "../../host/emulator.ts";
import { VirtualMachine } from "../../host/virtual-machine.ts";
import { Choices } from "../choices.ts";
import { Coverage } from "../coverage.ts";
import { hostileFunctions } from "../hostile-host.ts";
import type { Seen } from "../hostile-host.ts";
import { instrument } from "../instrument.ts";
import { Disagreement } from "../target.ts";
import type { Runner, Target } from "../target.ts";

const CALLBACKS_MAX = 40;
const ALLOWED = "/1";
const NOTHING = new Uint8Array();
const IDS = [1, 2, 3, 4, 5, 0, 4_294_967_295, 1000] as const;

/**
 * Callbacks of the shipped module, in any order and with any ids, in a host that may fail at every call: no trap, nothing
 * returned but what the ABI has, and no request let through whose headers the policy does not allow.
 */
export const HOST: Target = hostTarget((given) => {
  const isAllowed = [`:path\0${ALLOWED}\0`, `:path\0${ALLOWED}?`].some((path) => given.includes(path));
  if (!isAllowed || !given.includes(":method\0GET\0"))
    throw new Disagreement("a request is let through that the policy does not allow");
});

/** @param onLetThrough - is told the headers of a request that was let through, as the host gave them */
export function hostTarget(onLetThrough: (headers: string) => void): Target {
  return {
    name: "host",
    seeds: () => [
      ...[new Uint8Array(), Uint8Array.of(0, 0, 1, 0), Uint8Array.of(0, 0, 2, 0, 4, 0, 3, 1)],
      ...Array.from({ length: 32 }, (_, i) =>
        Uint8Array.from({ length: 100 }, (__, at) => (at * at * (i + 1)) >> (i & 7)),
      ),
    ],
    dictionary: [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [192], [224], [240], [255], new Uint8Array(40)].map((bytes) =>
      Uint8Array.from(bytes),
    ),
    maxBytes: 400,
    memoryGrowthMaxPages: 64,
    start: () => start(onLetThrough),
  };
}

function start(onLetThrough: (headers: string) => void): Runner {
  const file = namespace();
  const { roots, fresh, set, envelopes } = file;
  const configuration = Buffer.from(JSON.stringify({ wpgate: 1, sets: [{ roots, fresh, set, envelopes }] }));
  const pin = { role: "policy", ...file.pin, rootNamespace: "istio-system" };
  const module = new WebAssembly.Module(instrument(pinModule(shippedModule(), JSON.stringify(pin))).module);
  const coverage = new Coverage();
  let { memory } = newMachine(module, new Choices(NOTHING), { headers: NOTHING });
  coverage.attach(memory);
  return {
    coverage,
    memory: () => memory,
    run: (input) => {
      const choices = new Choices(input);
      const seen: Seen = { headers: NOTHING };
      const vm = newMachine(module, choices, seen);
      memory = vm.memory;
      const play = new Play({ vm, choices, seen, configuration, onLetThrough });
      play.begin();
      for (let i = 0; i < CALLBACKS_MAX && !choices.done; i++) play.next();
    },
  };
}

function newMachine(module: WebAssembly.Module, choices: Choices, seen: Seen): VirtualMachine {
  const process = new HostProcess({ NAMESPACE: "team-a", LABELS: { app: "shop" } });
  process.nowMs = NOW_SEC * 1000;
  process.timerNs = () => 0n;
  return new VirtualMachine({
    ...{ module, process, thread: 0, sharedData: new SharedData(), environment: {} },
    hostFunctions: (vm) => hostileFunctions(vm, choices, seen),
  });
}

function namespace(): CaseFile {
  const spec = { action: "ALLOW", rules: [{ to: [{ operation: { methods: ["GET"], paths: [ALLOWED] } }] }] };
  const policy = object({ name: "allow", spec });
  return namespaceCase({ comment: "fuzzing", objects: [policy], expect: [policy.payload] });
}

interface Stage {
  readonly vm: VirtualMachine;
  readonly choices: Choices;
  readonly seen: Seen;
  readonly configuration: Uint8Array;
  readonly onLetThrough: (headers: string) => void;
}

class Play {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** As every host does, most of the time. */
  begin(): void {
    const { vm, choices } = this.#stage;
    if (choices.byte() >= 224) return;
    vm.callback("proxy_on_context_create", 1, 0);
    vm.callback("proxy_on_vm_start", 1, 0);
    this.#configure(1);
  }

  next(): void {
    const { vm, choices } = this.#stage;
    const kind = choices.byte() % 6;
    const id = choices.pick(IDS);
    if (kind === 0) vm.callback("proxy_on_context_create", id, choices.pick([0, 1, 1, 2, 3, 1000]));
    else if (kind === 1) this.#configure(id);
    else if (kind === 2) this.#request(id);
    else if (kind === 3) vm.callback("proxy_on_tick", id);
    else if (kind === 4) vm.callback("proxy_on_delete", id);
    else vm.process.nowMs += choices.pick([1, 1000, 3_600_000, 86_400_000, -86_400_000, 4e12]);
  }

  #configure(id: number): void {
    const { vm, choices, configuration } = this.#stage;
    const bytes = changed(configuration, choices);
    vm.configuration = bytes;
    const length = choices.pick([bytes.length, bytes.length, bytes.length, 0, 1, -1, 2_147_483_647, bytes.length + 1]);
    within(vm.callback("proxy_on_configure", id, length), [0, 1]);
    vm.configuration = undefined;
  }

  #request(id: number): void {
    const { vm, choices, seen, onLetThrough } = this.#stage;
    const stream = streamOf(choices.pick([ALLOWED, "/2", "", "//1", "/1?a"]), {
      method: choices.pick(["GET", "POST", ""]),
    });
    vm.stream = stream;
    seen.headers = NOTHING;
    within(vm.callback("proxy_on_request_headers", id, choices.pick([4, 0, -1]), 1), [0, 1]);
    vm.stream = undefined;
    if (stream.filterState.get("wasm.ok") !== undefined) onLetThrough(Buffer.from(seen.headers).toString("latin1"));
  }
}

/** Whole, or with one byte of it changed, cut off, or replaced. */
function changed(configuration: Uint8Array, choices: Choices): Uint8Array {
  const choice = choices.byte();
  if (choice < 200) return configuration;
  const at = ((choices.byte() << 8) | choices.byte()) % configuration.length;
  if (choice < 220) return configuration.map((byte, i) => (i === at ? choices.byte() : byte));
  if (choice < 240) return configuration.subarray(0, at);
  return choices.take(choices.byte());
}

function within(result: number, possible: readonly number[]): void {
  if (!possible.includes(result)) throw new Disagreement(`a callback returns ${result}`);
}
