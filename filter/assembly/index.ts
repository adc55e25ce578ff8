// The exports that a Proxy-Wasm host calls (ABI v0.2.1). Nothing else may be exported, and nothing here runs at load time.
import "./abi/abort";
import { collectGarbage, collectGarbageDue, collectGarbageLater } from "./abi/memory";
import * as contexts from "./plugin/contexts";

// The same under the name that ABI v0.2.1 gives it and under the one that older hosts look for.
export { malloc, malloc as proxy_on_memory_allocate } from "./abi/memory";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_context_create(contextId: u32, parentContextId: u32): void {
  contexts.createContext(contextId, parentContextId);
}

export function proxy_on_vm_start(rootContextId: u32, configurationLength: i32): bool {
  return true;
}

export function proxy_on_configure(rootContextId: u32, configurationLength: i32): bool {
  collectGarbageDue();
  const accepted = contexts.configure(rootContextId, configurationLength);
  collectGarbageLater();
  return accepted;
}

export function proxy_on_tick(rootContextId: u32): void {
  contexts.tick(rootContextId);
  collectGarbageDue();
}

export function proxy_on_request_headers(contextId: u32, headersCount: i32, endOfStream: bool): i32 {
  const action = contexts.requestHeaders(contextId);
  collectGarbage();
  return action;
}

export function proxy_on_delete(contextId: u32): void {
  contexts.deleteContext(contextId);
}
