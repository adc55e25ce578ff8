/**
 * Responses of both protocols (envoy.service.discovery.v3) without their resources' messages decoded, and back. What is
 * passed on as it came keeps its bytes: protobuf's last value of a field counts, so that a nonce is appended.
 */
import { bytesField, stringField } from "../bytes/protobuf.ts";
import { concat } from "../bytes/octets.ts";
import { deltaBytes, forEachPlace, readDeltaResource, readSotwResource, text, type Resource } from "./resource.ts";
import type { Protocol } from "./type-url.ts";

export interface Response {
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` of delta. */
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly Resource[];
  /** How many there are, for whom it is enough to know that. */
  readonly resourceCount?: number | undefined;
  /** Names of what is gone; always empty in state of the world. */
  readonly removed: readonly string[];
  /** The whole message as it came; absent when it was made here. */
  readonly raw?: Uint8Array;
}

interface Fields {
  readonly version: number;
  readonly resources: number;
  readonly typeUrl: number;
  readonly nonce: number;
  readonly removed?: number;
}

/** Field numbers of `DiscoveryResponse` and `DeltaDiscoveryResponse`. */
const FIELDS: Readonly<Record<Protocol, Fields>> = {
  sotw: { version: 1, resources: 2, typeUrl: 4, nonce: 5 },
  delta: { version: 1, resources: 2, typeUrl: 4, nonce: 5, removed: 6 },
};

/** Of its resources only the places are noted: most are passed on unread, and the client waits for them.
 *  @returns a response whose `resources` throw ParseError PROTOBUF when one of them is malformed
 *  @throws ParseError PROTOBUF */
export function readResponse(raw: Uint8Array, protocol: Protocol): Response {
  const fields = FIELDS[protocol];
  let [typeUrl, version, nonce] = ["", "", ""];
  const places: Place[] = [];
  const removed: string[] = [];
  forEachPlace(raw, (field, start, end) => {
    if (field === fields.resources) places.push({ start, end });
    else if (field === fields.typeUrl) typeUrl = text(raw.subarray(start, end));
    else if (field === fields.version) version = text(raw.subarray(start, end));
    else if (field === fields.nonce) nonce = text(raw.subarray(start, end));
    else if (field === fields.removed) removed.push(text(raw.subarray(start, end)));
  });
  const read = ({ start, end }: Place): Resource => {
    const content = raw.subarray(start, end);
    return protocol === "sotw" ? readSotwResource(content, typeUrl) : readDeltaResource(content);
  };
  let resources: readonly Resource[] | undefined;
  return {
    ...{ typeUrl, version, nonce, removed, raw, resourceCount: places.length },
    get resources() {
      return (resources ??= places.map(read));
    },
  };
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** The same content under the nonce of another stream. */
export function withNonce(delivery: Omit<Response, "nonce">, nonce: string): Response {
  const { typeUrl, version, removed, raw, resourceCount } = delivery;
  return {
    ...{ typeUrl, version, nonce, removed, resourceCount, ...(raw && { raw }) },
    get resources() {
      return delivery.resources;
    },
  };
}

/** The message; where it came as it is, its bytes with another nonce and version at the end. */
export function writeResponse(response: Response, protocol: Protocol): Uint8Array {
  return concat(...responseParts(response, protocol));
}

/** The same in pieces, so that what came as it is need not be copied. */
export function responseParts(response: Response, protocol: Protocol): readonly Uint8Array[] {
  const fields = FIELDS[protocol];
  const { typeUrl, version, nonce, removed, raw } = response;
  if (raw) return [raw, stringField(fields.version, version), stringField(fields.nonce, nonce)];
  return [
    stringField(fields.version, version),
    ...response.resources.map((resource) =>
      bytesField(fields.resources, protocol === "sotw" ? resource.any : deltaBytes(resource)),
    ),
    stringField(fields.typeUrl, typeUrl),
    stringField(fields.nonce, nonce),
    ...removedFields(fields, removed),
  ];
}

/** State of the world has no field for them: what is gone is left out. */
function removedFields({ removed: field }: Fields, names: readonly string[]): readonly Uint8Array[] {
  return field === undefined ? [] : names.map((name) => stringField(field, name));
}
