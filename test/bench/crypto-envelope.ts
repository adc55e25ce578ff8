/** A namespace of statements of one pinned key, verified by the filter's code in WebAssembly and by the TypeScript that is shipped. */
import { freshTestable } from "../filter/testable.ts";
import type { Contender } from "./bench.ts";
import { namespace, STATEMENT_COUNT, verifying } from "./envelope.ts";

export const IN_WASM = "wpgate";
export const IN_TYPESCRIPT = "TypeScript on OpenSSL, native";

const WARM_COUNT = 300;

/** Both have accepted the namespace and refused it with a signature changed. */
export async function envelopeContenders(): Promise<readonly Contender[]> {
  const good = await namespace(false);
  const others = good.envelopes.map(String);
  const last = others.pop() ?? "";
  const bad = { ...good, envelopes: [...others, `${last.slice(0, -6)}AAAA${last.slice(-2)}`] };
  if (accepts(verifying(bad)) || accepts(inWasm(bad))) throw new Error("a namespace with a changed statement passes");
  const contenders = [
    { name: IN_WASM, operation: inWasm(good), units: STATEMENT_COUNT },
    { name: IN_TYPESCRIPT, operation: verifying(good), units: STATEMENT_COUNT },
  ];
  // JavaScript gets quick only after some hundred namespaces, and its compiler takes processor time.
  for (let i = 0; i < WARM_COUNT; i++) for (const { operation } of contenders) operation();
  return contenders;
}

function accepts(operation: () => void): boolean {
  try {
    operation();
    return true;
  } catch {
    return false;
  }
}

/** The case is read anew each time, and each payload hashed once more for the answer, at the filter's expense. */
function inWasm(input: Awaited<ReturnType<typeof namespace>>): () => void {
  const { fn, memory } = freshTestable();
  const { pin, ns, roots, fresh, set, envelopes, nowMs } = input;
  const json = Buffer.from(JSON.stringify({ pin, ns, roots, fresh, set, envelopes, nowMs, want: { use: "cfg" } }));
  const ptr = fn("allocate")(json.length) >>> 0;
  new Uint8Array(memory.buffer).set(json, ptr);
  const verify = fn("verifyCase");
  const start = Buffer.from('{"result":"ok"', "utf16le");
  return () => {
    // The memory may grow, and its buffer then is another.
    const spelled = verify(ptr, json.length) >>> 0;
    const answer = Buffer.from(memory.buffer, spelled, start.length);
    if (!answer.equals(start)) throw new Error("refused");
  };
}
