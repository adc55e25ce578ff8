/** One resource as it travels: its bytes are looked at, and never encoded again unless they have to change. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { bytesField, stringField } from "../bytes/protobuf.ts";
import { concat, decodeUtf8 } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";
import { TYPES } from "./type-url.ts";

export interface Resource {
  readonly name: string;
  /** Of this resource, where the protocol is delta and the server gives one. */
  readonly version: string;
  /** Of the message inside, which a hostile server may choose freely. */
  readonly typeUrl: string;
  /** The message: a window on what was received. */
  readonly value: Uint8Array;
  /** `google.protobuf.Any`, as it came. */
  readonly any: Uint8Array;
  /** `envoy.service.discovery.v3.Resource`, as it came; absent in state of the world. */
  readonly delta?: Uint8Array;
  /** Whether it has a time to live, after which the client deletes it by itself. */
  readonly expires?: true;
}

/** Field numbers of `google.protobuf.Any` and `envoy.service.discovery.v3.Resource`. */
const ANY = { typeUrl: 1, value: 2 } as const;
const RESOURCE = { version: 1, resource: 2, name: 3, ttl: 6 } as const;

/** A resource that was made here.
 *  @param value - the encoded message */
export function makeResource(content: { name: string; version: string; typeUrl: string; value: Uint8Array }): Resource {
  const { name, version, typeUrl, value } = content;
  return {
    name,
    version,
    typeUrl,
    value,
    any: concat(stringField(ANY.typeUrl, typeUrl), bytesField(ANY.value, value)),
  };
}

const RESOURCE_URL = "type.googleapis.com/envoy.service.discovery.v3.Resource";

/** Also one with a time to live, which is `envoy.service.discovery.v3.Resource` around the message.
 *  @param typeUrl - of the response, which says where the name is. @throws ParseError PROTOBUF */
export function readSotwResource(any: Uint8Array, typeUrl: string): Resource {
  const message = readAny(any);
  if (message.typeUrl !== RESOURCE_URL) return { name: nameOf(message.value, typeUrl), version: "", ...message, any };
  const { name, value, typeUrl: inner, expires } = readDeltaResource(message.value);
  return { name, version: "", typeUrl: inner, value, any, ...(expires && { expires }) };
}

/** @throws ParseError PROTOBUF */
export function readDeltaResource(delta: Uint8Array): Resource {
  let [name, version] = ["", ""];
  let any: Uint8Array = new Uint8Array();
  const life = { expires: false };
  forEachField(delta, (field, content) => {
    if (field === RESOURCE.name) name = text(content);
    else if (field === RESOURCE.version) version = text(content);
    else if (field === RESOURCE.ttl) life.expires = true;
    // Protobuf merges a message that is there twice, which is what both encodings in a row say.
    else if (field === RESOURCE.resource) any = any.length === 0 ? content : concat(any, content);
  });
  return { name, version, ...readAny(any), any, delta, ...(life.expires && { expires: true }) };
}

/** As `envoy.service.discovery.v3.Resource`. */
export function deltaBytes(resource: Resource): Uint8Array {
  if (resource.delta) return resource.delta;
  const { name, version, any } = resource;
  return concat(
    ...(version === "" ? [] : [stringField(RESOURCE.version, version)]),
    bytesField(RESOURCE.resource, any),
    stringField(RESOURCE.name, name),
  );
}

/** Calls back for each length-delimited field on the outermost level; the last value of a singular field is the one that counts.
 *  @throws ParseError PROTOBUF */
export function forEachField(message: Uint8Array, visit: (field: number, content: Uint8Array) => void): void {
  forEachPlace(message, (field, start, end) => {
    visit(field, message.subarray(start, end));
  });
}

/** The same, with where the content begins and ends. @throws ParseError PROTOBUF */
export function forEachPlace(message: Uint8Array, visit: (field: number, start: number, end: number) => void): void {
  const reader = new BinaryReader(message);
  try {
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
      else {
        const length = reader.uint32();
        const start = reader.pos;
        reader.pos = start + length;
        if (reader.pos > reader.len) throw new RangeError("a length past the end");
        visit(field, start, reader.pos);
      }
    }
  } catch (cause) {
    if (cause instanceof ParseError) throw cause;
    throw new ParseError("PROTOBUF", "a message that ends too early, or is none", { cause });
  }
}

/** @throws ParseError PROTOBUF */
export function text(content: Uint8Array): string {
  const decoded = decodeUtf8(content);
  if (decoded === undefined) throw new ParseError("PROTOBUF", "a string that is not UTF-8");
  return decoded;
}

function readAny(any: Uint8Array): { readonly typeUrl: string; readonly value: Uint8Array } {
  let typeUrl = "";
  let value: Uint8Array = new Uint8Array();
  forEachField(any, (field, content) => {
    if (field === ANY.typeUrl) typeUrl = text(content);
    else if (field === ANY.value) value = content;
  });
  return { typeUrl, value };
}

/** As the message itself says it, which may differ from what it is sent as; `""` for a type whose names are not known.
 *  @throws ParseError PROTOBUF */
export function nameOf(value: Uint8Array, typeUrl: string): string {
  const nameField = TYPES.get(typeUrl)?.nameField;
  let name = "";
  if (nameField === undefined) return name;
  forEachField(value, (field, content) => {
    if (field === nameField) name = text(content);
  });
  return name;
}
