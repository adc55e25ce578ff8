/**
 * Outer responses (docs/envelope.md section 10.1): ordinary responses of either protocol, so that anything that speaks ADS can
 * carry them, whose only content is an envelope. Reading is strict, because nothing else may ride along, and copies nothing.
 *
 *   DiscoveryResponse       1 version_info         2 resources: Any                       4 type_url  5 nonce  6 control_plane
 *   DeltaDiscoveryResponse  1 system_version_info  2 resources: Resource (2 Any, 3 name)   4 type_url  5 nonce  7 control_plane
 */
import { bytesFieldParts, LENGTH_DELIMITED, ProtobufReader, stringField } from "../bytes/protobuf.ts";
import { concat } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";
import type { Protocol } from "../xds/type-url.ts";
import { OUTER_NAME, WEBPUSH_MESSAGE } from "./types.ts";

/** What a carrier sets and a receiver echoes. Nothing here is signed. */
export interface OuterNames {
  readonly nonce: string;
  readonly version: string;
}

export interface OuterResponse extends OuterNames {
  readonly typeUrl: string;
  /** Windows on the response. */
  readonly envelopes: readonly Uint8Array[];
}

interface Fields {
  readonly once: ReadonlySet<number>;
  readonly controlPlane: number;
}

const VERSION = 1;
const RESOURCES = 2;
const TYPE_URL = 4;
const NONCE = 5;
const FIELDS: Readonly<Record<Protocol, Fields>> = {
  sotw: { once: new Set([VERSION, TYPE_URL, NONCE, 6]), controlPlane: 6 },
  delta: { once: new Set([VERSION, TYPE_URL, NONCE, 7]), controlPlane: 7 },
};
const ANY = { typeUrl: 1, value: 2 } as const;
const RESOURCE = { version: 1, resource: 2, name: 3 } as const;

export interface OuterContent extends OuterNames {
  readonly typeUrl: string;
  /** Each in pieces. */
  readonly envelopes: readonly (readonly Uint8Array[])[];
}

/** One copy of the envelopes. */
export function writeOuterResponse(content: OuterContent, protocol: Protocol): Uint8Array {
  return concat(...outerResponseParts(content, protocol));
}

/** In pieces, of which the envelopes' own are not copied. */
export function outerResponseParts(content: OuterContent, protocol: Protocol): readonly Uint8Array[] {
  const { typeUrl, nonce, version, envelopes } = content;
  return [
    stringField(VERSION, version),
    ...envelopes.flatMap((envelope, i) => bytesFieldParts(RESOURCES, resourceParts(envelope, { i, protocol }))),
    stringField(TYPE_URL, typeUrl),
    stringField(NONCE, nonce),
  ];
}

function resourceParts(
  envelope: readonly Uint8Array[],
  { i, protocol }: { readonly i: number; readonly protocol: Protocol },
): readonly Uint8Array[] {
  const any = [stringField(ANY.typeUrl, WEBPUSH_MESSAGE), ...bytesFieldParts(ANY.value, envelope)];
  if (protocol === "sotw") return any;
  const name = i === 0 ? OUTER_NAME : `${OUTER_NAME}/${i}`;
  return [...bytesFieldParts(RESOURCE.resource, any), stringField(RESOURCE.name, name)];
}

/** @throws ParseError PROTOBUF for anything but envelopes. */
export function readOuterResponse(raw: Uint8Array, protocol: Protocol): OuterResponse {
  const { once, controlPlane } = FIELDS[protocol];
  const outer = { version: "", typeUrl: "", nonce: "" };
  const envelopes: Uint8Array[] = [];
  forEachStrict(raw, once, (field, reader) => {
    if (field === RESOURCES) envelopes.push(readResource(reader.lengthDelimited(), protocol));
    else if (field === VERSION) outer.version = reader.string();
    else if (field === TYPE_URL) outer.typeUrl = reader.string();
    else if (field === NONCE) outer.nonce = reader.string();
    else if (field === controlPlane) reader.lengthDelimited();
    else unknownField(field);
  });
  return { ...outer, envelopes };
}

function readResource(content: Uint8Array, protocol: Protocol): Uint8Array {
  if (protocol === "sotw") return readAny(content);
  let any: Uint8Array = new Uint8Array();
  forEachStrict(content, new Set([RESOURCE.version, RESOURCE.resource, RESOURCE.name]), (field, reader) => {
    if (field === RESOURCE.resource) any = reader.lengthDelimited();
    else if (field === RESOURCE.name || field === RESOURCE.version) reader.string();
    else unknownField(field);
  });
  return readAny(any);
}

function readAny(any: Uint8Array): Uint8Array {
  let typeUrl = "";
  let value: Uint8Array = new Uint8Array();
  forEachStrict(any, new Set([ANY.typeUrl, ANY.value]), (field, reader) => {
    if (field === ANY.typeUrl) typeUrl = reader.string();
    else if (field === ANY.value) value = reader.lengthDelimited();
    else unknownField(field);
  });
  if (typeUrl !== WEBPUSH_MESSAGE) throw new ParseError("PROTOBUF", "a resource that is no envelope");
  return value;
}

/** Length-delimited fields only; those of `once` come at most once. */
function forEachStrict(
  bytes: Uint8Array,
  once: ReadonlySet<number>,
  read: (field: number, reader: ProtobufReader) => void,
): void {
  const reader = new ProtobufReader(bytes);
  const seen = new Set<number>();
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (wireType !== LENGTH_DELIMITED) unknownField(field);
    if (seen.has(field) && once.has(field)) throw new ParseError("PROTOBUF", `field ${field} twice`);
    seen.add(field);
    read(field, reader);
  }
}

function unknownField(field: number): never {
  throw new ParseError("PROTOBUF", `field ${field}, which no outer response has`);
}
