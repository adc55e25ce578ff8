/**
 * Responses of both protocols (envoy.service.discovery.v3) without their resources' messages decoded, and back. What is
 * passed on as it came keeps its bytes: protobuf's last value of a field counts, so that a nonce is appended.
 */
import { bytesField, stringField } from "../bytes/protobuf.ts";
import { concat } from "../bytes/octets.ts";
import { deltaBytes, forEachField, readDeltaResource, readSotwResource, text, type Resource } from "./resource.ts";
import type { Protocol } from "./type-url.ts";

export interface Response {
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` of delta. */
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly Resource[];
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

/** @throws ParseError PROTOBUF */
export function readResponse(raw: Uint8Array, protocol: Protocol): Response {
  const fields = FIELDS[protocol];
  let [typeUrl, version, nonce] = ["", "", ""];
  const contents: Uint8Array[] = [];
  const removed: string[] = [];
  forEachField(raw, (field, content) => {
    if (field === fields.resources) contents.push(content);
    else if (field === fields.typeUrl) typeUrl = text(content);
    else if (field === fields.version) version = text(content);
    else if (field === fields.nonce) nonce = text(content);
    else if (field === fields.removed) removed.push(text(content));
  });
  const read = (content: Uint8Array): Resource =>
    protocol === "sotw" ? readSotwResource(content, typeUrl) : readDeltaResource(content);
  return { typeUrl, version, nonce, resources: contents.map(read), removed, raw };
}

/** The message; where it came as it is, its bytes with another nonce and version at the end. */
export function writeResponse(response: Response, protocol: Protocol): Uint8Array {
  const fields = FIELDS[protocol];
  const { typeUrl, version, nonce, resources, removed, raw } = response;
  if (raw) return concat(raw, stringField(fields.version, version), stringField(fields.nonce, nonce));
  const content = ({ any }: Resource): Uint8Array => any;
  return concat(
    stringField(fields.version, version),
    ...resources.map((resource) =>
      bytesField(fields.resources, protocol === "sotw" ? content(resource) : deltaBytes(resource)),
    ),
    stringField(fields.typeUrl, typeUrl),
    stringField(fields.nonce, nonce),
    ...removed.map((name) => stringField(fields.removed ?? 0, name)),
  );
}
