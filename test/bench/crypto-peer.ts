/** Partners that are WebAssembly with the exports of a rival (rivals/README.md). */
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";
import { deciding } from "./crypto-partner.ts";
import type { CryptoInputs, CryptoPartner, Operation, Operations } from "./crypto-partner.ts";

type Exported = (...args: number[]) => number;

const ALIGNMENT = 64;
const DIGEST_BYTES = 32;
const WASI_MODULE = "wasi_snapshot_preview1";

export async function loadPeer(name: string, file: string): Promise<CryptoPartner> {
  const module = new WebAssembly.Module(await readFile(file));
  const wasi = new WASI({ version: "preview1", returnOnExit: true });
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {
    [WASI_MODULE]: wasi.wasiImport as Record<string, WebAssembly.ImportValue>,
  };
  for (const { module: from, name: member, kind } of WebAssembly.Module.imports(module)) {
    if (from === WASI_MODULE) continue;
    if (kind !== "function") throw new Error(`${file} imports the ${kind} ${from}.${member}`);
    (imports[from] ??= {})[member] = () => {
      throw new Error(`${file} calls ${from}.${member}`);
    };
  }
  const instance = new WebAssembly.Instance(module, imports);
  if (WebAssembly.Module.imports(module).some(({ module: from }) => from === WASI_MODULE)) wasi.initialize(instance);
  else if (typeof instance.exports["_initialize"] === "function") exported(instance, "_initialize")();
  return { name, load: (inputs) => loadInto(instance, inputs) };
}

function exported({ exports }: WebAssembly.Instance, name: string): Exported {
  const value = exports[name];
  if (typeof value !== "function") throw new Error(`a rival exports no function ${name}`);
  return (...args) => Number(Reflect.apply(value, undefined, args));
}

function loadInto(instance: WebAssembly.Instance, inputs: CryptoInputs): Operations {
  const { memory } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("a rival exports no memory");
  let free = exported(instance, "buf")() >>> 0;
  const reserve = (lengthBytes: number): number => {
    const ptr = free;
    free += Math.ceil(lengthBytes / ALIGNMENT) * ALIGNMENT;
    return ptr;
  };
  const put = (bytes: Uint8Array): number => {
    const ptr = reserve(bytes.length);
    new Uint8Array(memory.buffer).set(bytes, ptr);
    return ptr;
  };
  const [signer, message, signature] = [put(inputs.signer), put(inputs.message), put(inputs.signature)];
  const [privateKey, publicKey] = [put(inputs.privateKey), put(inputs.publicKey)];
  const [key, nonce, hashed] = [put(inputs.key), put(inputs.nonce), put(inputs.hashed)];
  const [text, out] = [reserve(inputs.ciphertext.length + inputs.tag.length), reserve(DIGEST_BYTES)];
  const [verify, ecdh, open, sha] = ["verify", "ecdh", "gcm_dec", "sha"].map((name) => exported(instance, name));
  if (!verify || !ecdh || !open || !sha) throw new Error("there are four operations");
  const setKey = exported(instance, "gcm_key");
  const sealed = Buffer.concat([inputs.ciphertext, inputs.tag]);
  const [messageBytes, textBytes, hashedBytes] = [
    inputs.message.length,
    inputs.ciphertext.length,
    inputs.hashed.length,
  ];
  const writing = (ptr: number, lengthBytes: number, run: () => boolean): Operation => ({
    run,
    output: () => new Uint8Array(memory.buffer, ptr, lengthBytes).slice(),
  });
  return {
    verify: deciding(() => verify(signer, message, messageBytes, signature) === 1),
    ecdh: writing(out, DIGEST_BYTES, () => ecdh(privateKey, publicKey, out) === 1),
    open: writing(text, textBytes, () => {
      setKey(key);
      // In place: what was opened before is no ciphertext. Copying costs a hundredth of opening.
      new Uint8Array(memory.buffer).set(sealed, text);
      return open(nonce, text, textBytes, text + textBytes) === 1;
    }),
    sha256: writing(out, DIGEST_BYTES, () => {
      sha(hashed, hashedBytes, out);
      return true;
    }),
  };
}
