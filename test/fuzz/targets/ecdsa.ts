import { createHash, createPublicKey, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { concat } from "../../../xds-proxy/src/bytes/octets.ts";
import { spkiOf } from "../../../xds-proxy/src/crypto/p256.ts";
import { fixedSignature, signingKey } from "../../corpus/keys.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";

const KEY_BYTES = 65;
const SIGNATURE_BYTES = 64;
const MESSAGE_MAX_BYTES = 32;
const TABLES_KEPT = 8;
const TABLE_MAX_BYTES = 262_144;
const ORDER = hex(p256.Point.Fn.ORDER);
const PRIME = hex(p256.Point.Fp.ORDER);

/** ECDSA on P-256: OpenSSL accepts the same keys and signatures. An input is key, signature and message. */
export const ECDSA: Target = {
  name: "ecdsa",
  seeds: () =>
    ["cfg", "root", "fresh"].flatMap((name) => {
      const message = Buffer.from(name);
      const signature = fixedSignature(name, message);
      return [concat(signingKey(name).publicKey, signature, message), concat(generator(), signature, message)];
    }),
  dictionary: [
    ORDER,
    PRIME,
    ...[-2n, -1n, 1n].map((near) => hex(p256.Point.Fn.ORDER + near)),
    new Uint8Array(32),
    hex(1n),
  ],
  maxBytes: KEY_BYTES + SIGNATURE_BYTES + MESSAGE_MAX_BYTES,
  memoryGrowthMaxPages: 2,
  start,
};

function start(): Runner {
  const module = new InstrumentedTestable();
  const verifyP1363 = module.fn("verifyP1363");
  const withTable = module.fn("verifyP1363WithTable");
  const isValid = module.fn("isValidPublicKey");
  const tables = new KeyTables(module);
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      if (input.length < KEY_BYTES + SIGNATURE_BYTES) return;
      const key = input.subarray(0, KEY_BYTES);
      const signature = input.subarray(KEY_BYTES, KEY_BYTES + SIGNATURE_BYTES);
      const message = input.subarray(KEY_BYTES + SIGNATURE_BYTES);
      const known = importKey(key);
      module.begin();
      const keyPtr = module.put(key);
      agree("a key is valid", isValid(keyPtr) === 1, known !== undefined);
      const digest = module.put(createHash("sha256").update(message).digest());
      const accepted = verifyP1363(keyPtr, digest, module.put(signature)) === 1;
      agree("a signature is valid", accepted, known !== undefined && isSigned(known, message, signature));
      if (known === undefined) return;
      const table = tables.of(key);
      module.begin();
      const digestAgain = module.put(createHash("sha256").update(message).digest());
      agree("it is with a table", withTable(table, digestAgain, module.put(signature)) === 1, accepted);
    },
  };
}

/** Tables of the last keys: filling one costs as much as many verifications. */
class KeyTables {
  readonly #module: InstrumentedTestable;
  readonly #known = new Map<string, number>();
  readonly #free: number[];

  constructor(module: InstrumentedTestable) {
    this.#module = module;
    this.#free = Array.from({ length: TABLES_KEPT }, () => module.fn("allocate")(TABLE_MAX_BYTES) >>> 0);
  }

  of(key: Uint8Array): number {
    const name = Buffer.from(key).toString("latin1");
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#known;
    const table = this.#free.pop() ?? oldest?.[1] ?? 0;
    if (oldest !== undefined && this.#known.size === TABLES_KEPT) this.#known.delete(oldest[0]);
    this.#module.begin();
    agree("a table is filled", this.#module.fn("fillKeyTable")(table, this.#module.put(key)), 1);
    this.#known.set(name, table);
    return table;
  }
}

const KEYS_KEPT = 64;
const imported = new Map<string, KeyObject | undefined>();

/** Undefined: OpenSSL does not take it. */
function importKey(key: Uint8Array): KeyObject | undefined {
  const name = Buffer.from(key).toString("latin1");
  if (imported.has(name)) return imported.get(name);
  if (imported.size >= KEYS_KEPT) imported.clear();
  const known = tryImport(key);
  imported.set(name, known);
  return known;
}

function tryImport(key: Uint8Array): KeyObject | undefined {
  if (key[0] !== 4) return undefined;
  try {
    return createPublicKey({ key: spkiOf(key), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function isSigned(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}

function generator(): Uint8Array {
  return p256.Point.BASE.toBytes(false);
}

function hex(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}
