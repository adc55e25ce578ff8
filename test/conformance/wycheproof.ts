/**
 * Test files of Project Wycheproof: ECDSA with DER and with P1363 signatures, ECDH with encoded points, AES-GCM, HKDF, HMAC.
 *
 * The profile: P-256 and SHA-256; AES-128 with a nonce of 96 and a tag of 128 bits; HKDF with at most 8160 bytes; HMAC tags
 * of up to 256 bits. A file of one of these kinds whose cases lie outside is read, and they are counted as such.
 */
import type { Case, Operation } from "./cases.ts";
import { hex, integer, list, members } from "./json.ts";
import type { Members } from "./json.ts";
import { UnreadableError } from "./unreadable.ts";

const HKDF_MAX_BYTES = 255 * 32;
const SCALAR_BYTES = 32;
const TAG_MAX_BITS = 256;

interface Reader {
  /** Undefined: outside the profile. */
  readonly operation: (group: Members, test: Members) => Operation | undefined;
  /** The member of a test that holds what comes out. */
  readonly output?: string;
}

export function isWycheproof(file: unknown): boolean {
  return typeof file === "object" && file !== null && "testGroups" in file;
}

export function wycheproofCases(file: Members): readonly Case[] {
  const reader = readerOf(file);
  return list(file["testGroups"], "testGroups").flatMap((value) => {
    const group = members(value, "a test group");
    return list(group["tests"], "tests").map((test) => readCase(reader, group, members(test, "a test")));
  });
}

function readCase(reader: Reader, group: Members, test: Members): Case {
  const id = integer(test["tcId"], "tcId");
  const operation = reader.operation(group, test);
  const expected = test["result"];
  if (expected !== "valid" && expected !== "invalid" && expected !== "acceptable")
    throw new UnreadableError(`result of test ${id} is none of valid, invalid, acceptable`);
  return {
    id,
    operation,
    expected,
    ...(operation && reader.output !== undefined && { output: hex(test[reader.output], reader.output) }),
  };
}

function readerOf(file: Members): Reader {
  const algorithm = String(file["algorithm"]);
  const schema = String(file["schema"]);
  if (algorithm === "ECDSA" && schema.startsWith("ecdsa_verify_schema")) return ecdsa("der");
  if (algorithm === "ECDSA" && schema.startsWith("ecdsa_p1363_verify_schema")) return ecdsa("p1363");
  if (algorithm === "ECDH" && schema.startsWith("ecdh_ecpoint_test_schema")) return ECDH;
  if (algorithm === "AES-GCM" && schema.startsWith("aead_test_schema")) return AES_GCM;
  if (algorithm.startsWith("HKDF-") && schema.startsWith("hkdf_test_schema")) return hkdf(algorithm);
  if (algorithm.startsWith("HMAC") && schema.startsWith("mac_test_schema")) return hmac(algorithm);
  throw new UnreadableError(`algorithm ${algorithm} with schema ${schema} is not known`);
}

function ecdsa(encoding: "der" | "p1363"): Reader {
  return {
    operation: (group, test) => {
      const key = members(group["publicKey"], "publicKey");
      if (key["curve"] !== "secp256r1" || group["sha"] !== "SHA-256") return undefined;
      return {
        kind: "ecdsa",
        encoding,
        publicKey: hex(key["uncompressed"], "publicKey.uncompressed"),
        message: hex(test["msg"], "msg"),
        signature: hex(test["sig"], "sig"),
      };
    },
  };
}

const ECDH: Reader = {
  output: "shared",
  operation: (group, test) => {
    const privateKey = scalar(hex(test["private"], "private"));
    if (group["curve"] !== "secp256r1" || privateKey === undefined) return undefined;
    return { kind: "ecdh", publicKey: hex(test["public"], "public"), privateKey };
  },
};

/** Wycheproof writes private keys as integers of any length. Undefined: more than 32 bytes. */
function scalar(bytes: Uint8Array): Uint8Array | undefined {
  const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  if (digits.length > SCALAR_BYTES) return undefined;
  const padded = new Uint8Array(SCALAR_BYTES);
  padded.set(digits, SCALAR_BYTES - digits.length);
  return padded;
}

const AES_GCM: Reader = {
  output: "msg",
  operation: (group, test) => {
    if (group["keySize"] !== 128 || group["ivSize"] !== 96 || group["tagSize"] !== 128) return undefined;
    return {
      kind: "aes-gcm",
      key: hex(test["key"], "key"),
      nonce: hex(test["iv"], "iv"),
      aad: hex(test["aad"], "aad"),
      sealed: Uint8Array.from([...hex(test["ct"], "ct"), ...hex(test["tag"], "tag")]),
    };
  },
};

function hkdf(algorithm: string): Reader {
  return {
    output: "okm",
    operation: (_group, test) => {
      const sizeBytes = integer(test["size"], "size");
      if (algorithm !== "HKDF-SHA-256" || sizeBytes > HKDF_MAX_BYTES) return undefined;
      const [salt, ikm, info] = [hex(test["salt"], "salt"), hex(test["ikm"], "ikm"), hex(test["info"], "info")];
      return { kind: "hkdf", salt, ikm, info, sizeBytes };
    },
  };
}

function hmac(algorithm: string): Reader {
  return {
    operation: (group, test) => {
      const tagBits = integer(group["tagSize"], "tagSize");
      if (algorithm !== "HMACSHA256" || tagBits > TAG_MAX_BITS) return undefined;
      return {
        kind: "hmac",
        key: hex(test["key"], "key"),
        message: hex(test["msg"], "msg"),
        tag: hex(test["tag"], "tag"),
      };
    },
  };
}
