/**
 * `WebpushMessage` of proto/webpush.proto (docs/envelope.md section 2): encoder, and decoder of the strict subset (1.2).
 * What the octets mean is not known here. Decoded byte fields are windows on the input.
 */
import {
  bytesField,
  bytesFieldParts,
  LENGTH_DELIMITED,
  ProtobufReader,
  stringField,
  VARINT,
  varintField,
} from "../bytes/protobuf.ts";
import type { Tag, WireType } from "../bytes/protobuf.ts";
import { concat } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";

export interface Vapid {
  /** The signer's key without its leading 0x04. */
  readonly k: Uint8Array;
  /** Claims, raw JSON. */
  readonly data: Uint8Array;
  readonly tType: Uint8Array;
  readonly tSignature: Uint8Array;
}

export interface Via {
  readonly time: bigint;
  readonly vip: string;
}

export interface WebpushMessage {
  readonly id: string;
  readonly push: string;
  readonly data: Uint8Array;
  readonly sender: Vapid;
  readonly from: string;
  readonly path: readonly Via[];
  readonly contentEncoding: number;
  readonly ttl: number;
  readonly cosigners: readonly Vapid[];
}

const MESSAGE = { id: 1, push: 2, data: 3, sender: 4, from: 5, path: 6, contentEncoding: 7, ttl: 9, cosigners: 16 };
const VAPID = { k: 4, data: 7, tType: 32, tSignature: 33 };
const VIA = { time: 1, vip: 2 };
const NOTHING: Uint8Array = new Uint8Array();

/** @throws ParseError PROTOBUF. */
export function decodeWebpushMessage(bytes: Uint8Array): WebpushMessage {
  const message = { id: "", push: "", data: NOTHING, from: "", contentEncoding: 0, ttl: 0 };
  const path: Via[] = [];
  const cosigners: Vapid[] = [];
  let sender: Vapid | undefined;
  readFields(bytes, [MESSAGE.path, MESSAGE.cosigners], (reader, tag) => {
    switch (tag.field) {
      case MESSAGE.id:
        message.id = typed(tag, LENGTH_DELIMITED, reader).string();
        break;
      case MESSAGE.push:
        message.push = typed(tag, LENGTH_DELIMITED, reader).string();
        break;
      case MESSAGE.data:
        message.data = typed(tag, LENGTH_DELIMITED, reader).lengthDelimited();
        break;
      case MESSAGE.sender:
        sender = decodeVapid(typed(tag, LENGTH_DELIMITED, reader).lengthDelimited(), Object.values(VAPID));
        break;
      case MESSAGE.from:
        message.from = typed(tag, LENGTH_DELIMITED, reader).string();
        break;
      case MESSAGE.path:
        path.push(decodeVia(typed(tag, LENGTH_DELIMITED, reader).lengthDelimited()));
        break;
      case MESSAGE.contentEncoding:
        message.contentEncoding = typed(tag, VARINT, reader).int32();
        break;
      case MESSAGE.ttl:
        message.ttl = typed(tag, VARINT, reader).int32();
        break;
      case MESSAGE.cosigners:
        // A cosigner signs the sender's header and claims; it has none of its own.
        cosigners.push(
          decodeVapid(typed(tag, LENGTH_DELIMITED, reader).lengthDelimited(), [VAPID.k, VAPID.tSignature]),
        );
        break;
      default:
        unknownField(tag);
    }
  });
  if (sender === undefined) throw new ParseError("PROTOBUF", "no sender");
  return { ...message, sender, path, cosigners };
}

function decodeVapid(bytes: Uint8Array, fields: readonly number[]): Vapid {
  const found = new Map<number, Uint8Array>();
  readFields(bytes, [], (reader, tag) => {
    if (!fields.includes(tag.field)) unknownField(tag);
    found.set(tag.field, typed(tag, LENGTH_DELIMITED, reader).lengthDelimited());
  });
  const field = (number: number): Uint8Array => found.get(number) ?? NOTHING;
  return {
    k: field(VAPID.k),
    data: field(VAPID.data),
    tType: field(VAPID.tType),
    tSignature: field(VAPID.tSignature),
  };
}

function decodeVia(bytes: Uint8Array): Via {
  const via = { time: 0n, vip: "" };
  readFields(bytes, [], (reader, tag) => {
    if (tag.field === VIA.time) via.time = BigInt.asIntN(64, typed(tag, VARINT, reader).varint());
    else if (tag.field === VIA.vip) via.vip = typed(tag, LENGTH_DELIMITED, reader).string();
    else unknownField(tag);
  });
  return via;
}

/** Hands each field to `read`; one that is not `repeated` comes at most once. */
function readFields(
  bytes: Uint8Array,
  repeated: readonly number[],
  read: (reader: ProtobufReader, tag: Tag) => void,
): void {
  const reader = new ProtobufReader(bytes);
  const seen = new Set<number>();
  while (!reader.done) {
    const tag = reader.tag();
    if (seen.has(tag.field) && !repeated.includes(tag.field)) {
      throw new ParseError("PROTOBUF", `field ${tag.field} twice`);
    }
    seen.add(tag.field);
    read(reader, tag);
  }
}

function typed(tag: Tag, wireType: WireType, reader: ProtobufReader): ProtobufReader {
  if (tag.wireType !== wireType) throw new ParseError("PROTOBUF", `field ${tag.field} with another wire type`);
  return reader;
}

function unknownField(tag: Tag): never {
  throw new ParseError("PROTOBUF", `unknown field ${tag.field}`);
}

/** What a sender writes; routing fields are left to carriers. */
export interface OutgoingMessage {
  readonly data: Uint8Array;
  readonly sender: Pick<Vapid, "k" | "data" | "tSignature">;
  readonly cosigners: readonly Pick<Vapid, "k" | "tSignature">[];
  readonly contentEncoding: 0 | 1;
  readonly id?: string;
}

export function encodeWebpushMessage(message: OutgoingMessage): Uint8Array {
  return concat(...webpushMessageParts(message));
}

/** The same in pieces, of which one is `data` itself. */
export function webpushMessageParts(message: OutgoingMessage): readonly Uint8Array[] {
  const { id, data, sender, cosigners, contentEncoding } = message;
  return [
    ...(id === undefined ? [] : [stringField(MESSAGE.id, id)]),
    ...bytesFieldParts(MESSAGE.data, [data]),
    bytesField(
      MESSAGE.sender,
      bytesField(VAPID.k, sender.k),
      bytesField(VAPID.data, sender.data),
      bytesField(VAPID.tSignature, sender.tSignature),
    ),
    ...(contentEncoding === 0 ? [] : [varintField(MESSAGE.contentEncoding, contentEncoding)]),
    ...cosigners.map(({ k, tSignature }) =>
      bytesField(MESSAGE.cosigners, bytesField(VAPID.k, k), bytesField(VAPID.tSignature, tSignature)),
    ),
  ];
}
