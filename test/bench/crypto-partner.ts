/** Who takes part in the benchmark of cryptography, what each of them is given, and the proof that it does its work. */
import { createCipheriv, createECDH, createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export const MESSAGE_BYTES = 300;
export const TEXT_BYTES = 4096;
export const HASHED_BYTES = 65_536;

/** What is measured of every partner. */
export const OPERATIONS = ["verify", "ecdh", "open", "sha256"] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** `pinned`: verification with what was prepared for the key. */
export type Operations = Readonly<Record<OperationName, Operation>> & { readonly pinned?: Operation };

export interface Operation {
  /** Works once on what is loaded. False: refused. */
  readonly run: () => boolean;
  /** What the last run has computed; empty for a signature. */
  readonly output: () => Uint8Array;
}

export interface CryptoPartner {
  readonly name: string;
  /** Lays inputs where they are wanted, so that copying is not measured. */
  readonly load: (inputs: CryptoInputs) => Operations;
}

export interface CryptoInputs {
  /** 65 bytes */
  readonly signer: Uint8Array;
  readonly message: Uint8Array;
  /** r ‖ s */
  readonly signature: Uint8Array;
  /** 32 bytes */
  readonly privateKey: Uint8Array;
  /** 65 bytes */
  readonly publicKey: Uint8Array;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
  readonly hashed: Uint8Array;
}

export type Expected = Readonly<Record<OperationName, Uint8Array>>;

/** Inputs that are good, and what comes out. */
export function goodInputs(): { readonly inputs: CryptoInputs; readonly expected: Expected } {
  const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const signer = pair.publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  const message = randomBytes(MESSAGE_BYTES);
  const signature = sign("sha256", message, { key: pair.privateKey, dsaEncoding: "ieee-p1363" });
  const [one, other] = [createECDH("prime256v1"), createECDH("prime256v1")];
  const publicKey = other.generateKeys();
  one.generateKeys();
  const privateKey = Buffer.alloc(32);
  const scalar = one.getPrivateKey();
  scalar.copy(privateKey, privateKey.length - scalar.length);
  const [key, nonce, text, hashed] = [
    randomBytes(16),
    randomBytes(12),
    randomBytes(TEXT_BYTES),
    randomBytes(HASHED_BYTES),
  ];
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final()]);
  const tag = cipher.getAuthTag();
  return {
    inputs: { signer, message, signature, privateKey, publicKey, key, nonce, ciphertext, tag, hashed },
    expected: {
      verify: new Uint8Array(),
      ecdh: one.computeSecret(publicKey),
      open: text,
      sha256: createHash("sha256").update(hashed).digest(),
    },
  };
}

/** The same with one bit wrong in the signature, the peer's key, the tag and what is hashed. */
export function badInputs(good: CryptoInputs): CryptoInputs {
  return {
    ...good,
    signature: flipped(good.signature),
    publicKey: flipped(good.publicKey),
    tag: flipped(good.tag),
    hashed: flipped(good.hashed),
  };
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

/** Throws unless the partner refuses what is bad and computes what is right. Returns its operations on the good inputs. */
export function provenOperations(partner: CryptoPartner, inputs: CryptoInputs, expected: Expected): Operations {
  const bad = partner.load(badInputs(inputs));
  if (bad.verify.run() || bad.pinned?.run() === true) throw new Error(`${partner.name} accepts a wrong signature`);
  if (bad.ecdh.run()) throw new Error(`${partner.name} accepts a key that is not on the curve`);
  if (bad.open.run()) throw new Error(`${partner.name} opens with a wrong tag`);
  bad.sha256.run();
  if (equal(bad.sha256.output(), expected.sha256)) throw new Error(`${partner.name} hashes something else`);
  const good = partner.load(inputs);
  for (const name of OPERATIONS) {
    // Twice: some work in place.
    for (let times = 0; times < 2; times++) {
      if (!good[name].run()) throw new Error(`${partner.name} refuses a good ${name}`);
      if (!equal(good[name].output(), expected[name]))
        throw new Error(`${partner.name}: the result of ${name} is wrong`);
    }
  }
  if (good.pinned?.run() === false) throw new Error(`${partner.name} refuses a good signature of a pinned key`);
  return good;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** An operation that returns what it computes, and throws when it refuses. */
export function throwing(body: () => Uint8Array): Operation {
  let last: Uint8Array = new Uint8Array();
  const run = (): boolean => {
    try {
      last = body();
      return true;
    } catch {
      return false;
    }
  };
  return { run, output: () => last };
}

/** An operation that only tells whether all is well. */
export function deciding(run: () => boolean): Operation {
  return { run, output: () => new Uint8Array() };
}
