/** Foreign functions of Envoy 1.40 that the filter may call. */
import { createPublicKey, verify } from "node:crypto";
import { Status } from "./status.ts";

export interface ForeignResult {
  readonly status: number;
  readonly bytes?: Uint8Array;
}

export type ForeignFunction = (argument: Uint8Array) => ForeignResult;

const ACCEPTED = Uint8Array.of(0x08, 0x01);
const REFUSED = Buffer.concat([Uint8Array.of(0x12, 0x26), Buffer.from("Failed to verify digest. Error code: 1")]);

/** `VerifySignatureArguments` to `VerifySignatureResult`, both protobuf; DER keys and SHA-256 only. */
export const verifySignature: ForeignFunction = (argument) => {
  const fields = lengthDelimitedFields(argument);
  const [hash, key, signature, text] = [1, 2, 3, 4].map((number) => fields.get(number));
  if (!hash || !key || !signature || !text || fields.size !== 4) return { status: Status.badArgument };
  if (Buffer.from(hash).toString() !== "sha256") return { status: Status.badArgument };
  return { status: Status.ok, bytes: isValid(key, text, signature) ? ACCEPTED : REFUSED };
};

function isValid(key: Uint8Array, text: Uint8Array, signature: Uint8Array): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key), format: "der", type: "spki" });
    return verify("sha256", text, { key: publicKey, dsaEncoding: "der" }, signature);
  } catch {
    return false;
  }
}

function lengthDelimitedFields(message: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("a varint is cut off");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    if ((tag & 7) !== 2) throw new Error(`field ${tag >> 3} is not length-delimited`);
    const length = varint();
    fields.set(tag >> 3, message.subarray(at, at + length));
    at += length;
  }
  return fields;
}
