/** Discovery messages of any content, made with the generated code, and what may be done to their bytes on the way. */
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { bytesField, encodeTag, stringField, varintField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { LISTENER, TYPES } from "../../xds-proxy/src/xds/type-url.ts";

export const SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
export const WRAPPED = "type.googleapis.com/envoy.service.discovery.v3.Resource";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const octets = fc.uint8Array({ maxLength: 40 });
const typeUrl = fc.constantFrom(...TYPES.keys(), "type.googleapis.com/some.other.Type", "");

/** A message that has a name in field 1, as all of the table have. */
const named = fc.record({ name: text, rest: octets }).map(({ name, rest }) => ({
  name,
  value: concat(stringField(1, name), bytesField(15, rest)),
}));

export interface SotwSample {
  readonly bytes: Uint8Array;
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly { name: string; value: Uint8Array }[];
}

export const SOTW: fc.Arbitrary<SotwSample> = fc
  .record({ typeUrl, version: text, nonce: text, canary: fc.boolean(), resources: fc.array(named, { maxLength: 4 }) })
  .map(({ canary, ...sample }) => {
    const message = create(DiscoveryResponseSchema, {
      ...{ versionInfo: sample.version, nonce: sample.nonce, typeUrl: sample.typeUrl, canary },
      resources: sample.resources.map(({ value }) => ({ typeUrl: sample.typeUrl, value })),
      controlPlane: { identifier: "istiod" },
    });
    return { ...sample, bytes: toBinary(DiscoveryResponseSchema, message) };
  });

export interface DeltaSample {
  readonly bytes: Uint8Array;
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly removed: readonly string[];
  readonly resources: readonly { name: string; version: string; typeUrl: string; value: Uint8Array }[];
}

export const DELTA: fc.Arbitrary<DeltaSample> = fc
  .record({
    ...{ typeUrl, version: text, nonce: text, removed: fc.array(text, { maxLength: 3 }) },
    resources: fc.array(fc.record({ name: text, version: text, typeUrl, value: octets }), { maxLength: 4 }),
  })
  .map((sample) => {
    const message = create(DeltaDiscoveryResponseSchema, {
      ...{ systemVersionInfo: sample.version, nonce: sample.nonce, typeUrl: sample.typeUrl },
      removedResources: [...sample.removed],
      resources: sample.resources.map(({ name, version, typeUrl: inner, value }) =>
        create(ResourceSchema, { name, version, resource: { typeUrl: inner, value }, aliases: ["another"] }),
      ),
      controlPlane: { identifier: "istiod" },
    });
    return { ...sample, bytes: toBinary(DeltaDiscoveryResponseSchema, message) };
  });

/** A field that no schema has, of any wire type. */
export const UNKNOWN_FIELD: fc.Arbitrary<Uint8Array> = fc.oneof(
  octets.map((content) => bytesField(1_900, content)),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => varintField(1_901, value)),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => concat(encodeTag(1_902, 1), value)),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => concat(encodeTag(1_903, 5), value)),
  octets.map((content) => concat(encodeTag(1_904, 3), bytesField(1, content), encodeTag(1_904, 4))),
);

/** A Listener of this name, with nothing in it. */
export function listenerOf(name: string): Uint8Array {
  return stringField(1, name);
}

export function anyOf(typeUrl: string, value: Uint8Array): Uint8Array {
  return concat(stringField(1, typeUrl), bytesField(2, value));
}

/** `envoy.service.discovery.v3.Resource` */
export function wrappedOf(name: string, version: string, ...anys: readonly Uint8Array[]): Uint8Array {
  return concat(stringField(1, version), ...anys.map((any) => bytesField(2, any)), stringField(3, name));
}

export function responseOf(typeUrl: string, ...resources: readonly Uint8Array[]): Uint8Array {
  const contents = resources.map((resource) => bytesField(2, resource));
  return concat(stringField(1, "v1"), ...contents, bytesField(4, utf8(typeUrl)), stringField(5, "n1"));
}

export const LISTENER_ANY: Uint8Array = anyOf(LISTENER, listenerOf("a"));
