/** A host whose every call may fail with any status, say nothing, or hand over anything, as the input decides. */
import { hostFunctions } from "../host/host-functions.ts";
import { encodePairs } from "../host/pairs.ts";
import type { HostFunction, HostFunctions, VirtualMachine } from "../host/virtual-machine.ts";
import type { Choices } from "./choices.ts";

const STATUSES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 76, -1, 2_147_483_647] as const;
/** Calls that hand over bytes: index of the argument that says where to. */
const GIVING: ReadonlyMap<string, number> = new Map([
  ["proxy_get_buffer_bytes", 3],
  ["proxy_get_property", 2],
  ["proxy_get_shared_data", 2],
  ["proxy_get_header_map_pairs", 1],
  ["proxy_call_foreign_function", 4],
]);

const headers = (path: string, method = "GET"): Uint8Array =>
  encodePairs([[":method", method], [":path", path], [":authority", "shop"], ["x-a", "b"]]); // prettier-ignore
const ANSWERS = [
  ...[headers("/1"), headers("/2"), headers("/1", "POST"), headers("/1%2f.."), encodePairs([]), new Uint8Array()],
  ...["08011226", "0801", "0800", "1200", "ffffffff", "00000000", "01000000ffffffff00000000"].map((digits) =>
    Buffer.from(digits, "hex"),
  ),
  ...["team-a", "team-b", "10.0.0.1:1", "[::1]:1", "{}", '{"roots":[],"envelopes":[]}'].map((text) =>
    Buffer.from(text),
  ),
] as const;

/** The last bytes that the host gave as headers. */
export interface Seen {
  headers: Uint8Array;
}

export function hostileFunctions(vm: VirtualMachine, choices: Choices, seen: Seen): HostFunctions {
  const real = hostFunctions(vm);
  const wrap = ([name, body]: readonly [string, HostFunction]): readonly [string, HostFunction] => [
    name,
    (...args) => answer({ vm, choices, seen, name, body, args }),
  ];
  return Object.fromEntries(
    Object.entries(real).map(([module, functions]) => [
      module,
      Object.fromEntries(Object.entries(functions).map(([name, body]) => wrap([name, body as HostFunction]))),
    ]),
  );
}

interface Call {
  readonly vm: VirtualMachine;
  readonly choices: Choices;
  readonly seen: Seen;
  readonly name: string;
  readonly body: HostFunction;
  readonly args: number[];
}

function answer({ vm, choices, seen, name, body, args }: Call): number {
  const isHeaders = name === "proxy_get_header_map_pairs";
  const choice = choices.byte();
  const out = GIVING.get(name);
  if (choice < 192) {
    const status = body(...args);
    if (isHeaders && vm.stream) seen.headers = encodePairs(vm.stream.headers);
    return status;
  }
  if (choice < 224) return choices.pick(STATUSES);
  if (choice < 232) return 0;
  if (out === undefined) return choices.pick(STATUSES);
  const bytes = choice < 250 ? choices.pick(ANSWERS) : choices.take(choices.byte());
  if (isHeaders) seen.headers = bytes;
  return vm.give(bytes, args[out] ?? 0, args[out + 1] ?? 0);
}
