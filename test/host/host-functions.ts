/** The imports that a Proxy-Wasm ABI v0.2.1 host offers, as Envoy 1.40 behaves: those that a module of ours may have. */
import { Status, LOG_LEVELS } from "./status.ts";
import { encodePairs } from "./pairs.ts";
import type {
  AnyHostFunction,
  ClockFunction,
  HostFunction,
  HostFunctions,
  NumberedFunction,
  VirtualMachine,
} from "./virtual-machine.ts";

/** What a module may call before its `_initialize` has returned. */
const EARLY: ReadonlySet<string> = new Set(["proxy_log", "environ_get", "environ_sizes_get", "clock_time_get"]);
/** A map without pairs. */
const NO_HEADERS = encodePairs([]);
const PLUGIN_CONFIGURATION = 7;
const REQUEST_HEADERS = 0;
const REAL_TIME = 0;
const WASI_INVALID = 28;

export function hostFunctions(vm: VirtualMachine): HostFunctions {
  const guarded = (functions: Record<string, AnyHostFunction>): typeof functions =>
    Object.fromEntries(Object.entries(functions).map(([name, body]) => [name, guard(vm, name, body)]));
  return {
    env: guarded({ ...general(vm), ...data(vm), ...streams(vm), ...metrics(vm) }),
    wasi_snapshot_preview1: guarded({ ...environment(vm), clock_time_get: clock(vm) }),
  };
}

function guard(vm: VirtualMachine, name: string, body: AnyHostFunction): HostFunction {
  return (...args) => {
    if (!vm.isInitialized && !EARLY.has(name)) throw new Error(`restricted_callback: ${name}`);
    vm.calls.push(name);
    const failure = vm.process.fault({ name, thread: vm.thread });
    return failure ?? (Reflect.apply(body, undefined, args) as number);
  };
}

function general(vm: VirtualMachine): Record<string, HostFunction> {
  const { process } = vm;
  return {
    proxy_log: (level, ptr, length) => {
      process.log.push({ level: LOG_LEVELS[level] ?? "?", text: vm.text(ptr, length), thread: vm.thread });
      return Status.ok;
    },
    proxy_set_tick_period_milliseconds: (period) => {
      vm.setTickPeriod(period);
      return Status.ok;
    },
    proxy_call_foreign_function: (name, nameLength, argument, argumentLength, out, outLength) => {
      const foreign = process.foreignFunctions.get(vm.text(name, nameLength));
      if (!foreign) return Status.notFound;
      const { status, bytes } = foreign(vm.bytes(argument, argumentLength));
      return bytes ? vm.give(bytes, out, outLength) || status : status;
    },
  };
}

function data(vm: VirtualMachine): Record<string, HostFunction> {
  return {
    proxy_get_buffer_bytes: (type, start, length, out, outLength) => {
      if (type !== PLUGIN_CONFIGURATION || !vm.configuration) return Status.notFound;
      if (start > vm.configuration.length) return Status.badArgument;
      return vm.give(vm.configuration.subarray(start, start + length), out, outLength);
    },
    proxy_get_property: (path, pathLength, out, outLength) => {
      const name = vm.text(path, pathLength);
      const value = vm.stream?.attributes.get(name) ?? vm.process.property(name);
      return value === undefined ? Status.notFound : vm.give(value, out, outLength);
    },
    proxy_get_shared_data: (key, keyLength, out, outLength, outCas) => {
      const entry = vm.sharedData.get(vm.text(key, keyLength));
      if (!entry) return Status.notFound;
      vm.view().setUint32(outCas, entry.cas, true);
      return vm.give(entry.value, out, outLength);
    },
    proxy_set_shared_data: (key, keyLength, value, length, cas) =>
      vm.sharedData.set(vm.text(key, keyLength), vm.bytes(value, length), cas),
  };
}

function streams(vm: VirtualMachine): Record<string, HostFunction> {
  return {
    proxy_get_header_map_pairs: (type, out, outLength) => {
      if (type !== REQUEST_HEADERS || !vm.stream) return Status.badArgument;
      return vm.give(vm.stream.rawHeaders ?? encodePairs(vm.stream.headers), out, outLength);
    },
    proxy_get_header_map_value: (type, name, nameLength, out, outLength) => {
      if (type !== REQUEST_HEADERS || !vm.stream) return Status.badArgument;
      const wanted = vm.text(name, nameLength).toLowerCase();
      const first = vm.stream.headers.find(([header]) => header === wanted);
      return first ? vm.give(first[1], out, outLength) : Status.notFound;
    },
    proxy_set_property: (path, pathLength, value, length) => {
      if (!vm.stream) return Status.notFound;
      vm.stream.filterState.set(`wasm.${vm.text(path, pathLength)}`, vm.text(value, length));
      return Status.ok;
    },
    proxy_send_local_response: (status, details, detailsLength, body, bodyLength, headers, headersLength) => {
      if (!vm.stream) return Status.badArgument;
      if (Buffer.compare(vm.bytes(headers, headersLength), NO_HEADERS) !== 0)
        throw new Error("headers are not expected");
      const text = { details: vm.text(details, detailsLength), body: vm.text(body, bodyLength) };
      vm.stream.localResponse ??= { status: status, ...text };
      return Status.ok;
    },
  };
}

function metrics(vm: VirtualMachine): Record<string, HostFunction | NumberedFunction> {
  const { metrics: values } = vm.process;
  const names: string[] = [];
  const change = (id: number, next: (old: bigint) => bigint): number => {
    const name = names[id];
    if (name === undefined) return Status.notFound;
    values.set(name, next(values.get(name) ?? 0n));
    return Status.ok;
  };
  const define: HostFunction = (type, name, length, outId) => {
    if (type > 2) return Status.badArgument;
    const id = names.push(vm.text(name, length)) - 1;
    change(id, (old) => old);
    vm.view().setUint32(outId, id, true);
    return Status.ok;
  };
  const increment: NumberedFunction = (id, offset) => change(id, (old) => old + offset);
  const record: NumberedFunction = (id, value) => change(id, () => BigInt.asUintN(64, value));
  return { proxy_define_metric: define, proxy_increment_metric: increment, proxy_record_metric: record };
}

function environment(vm: VirtualMachine): Record<string, HostFunction> {
  const texts = Object.entries(vm.environment).map(([name, value]) => new TextEncoder().encode(`${name}=${value}\0`));
  return {
    environ_sizes_get: (outCount, outSize) => {
      vm.view().setUint32(outCount, texts.length, true);
      vm.view().setUint32(
        outSize,
        texts.reduce((sum, text) => sum + text.length, 0),
        true,
      );
      return 0;
    },
    environ_get: (pointers, buffer) => {
      let at = buffer;
      texts.forEach((text, i) => {
        vm.view().setUint32(pointers + i * 4, at, true);
        vm.bytes(at, text.length).set(text);
        at += text.length;
      });
      return 0;
    },
  };
}

function clock(vm: VirtualMachine): ClockFunction {
  return (id, _, out) => {
    if (id !== REAL_TIME) return WASI_INVALID;
    vm.view().setBigUint64(out, BigInt(vm.process.nowMs) * 1_000_000n + vm.elapsedNs(), true);
    return 0;
  };
}
