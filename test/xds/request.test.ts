import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { ParseError } from "../../xds-proxy/src/errors.ts";
import { NodeSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { NO_REQUEST, readRequest, writeRequest, type ReadRequest } from "../../xds-proxy/src/xds/request.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { UNKNOWN_FIELD } from "./messages.ts";

const text = fc.string({ unit: "grapheme", maxLength: 10 });
const texts = fc.array(text, { maxLength: 4 });
const error = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
const node = create(NodeSchema, { id: "sidecar~10.0.0.1~a.b~b.svc.cluster.local", cluster: "a.b" });

const SOTW: fc.Arbitrary<ReadRequest> = fc
  .record({ typeUrl: text, nonce: text, version: text, names: texts, error, isFirst: fc.boolean() })
  .map(({ error: reason, isFirst, ...request }) => ({
    ...{ ...NO_REQUEST, ...request },
    ...(reason !== undefined && { error: reason }),
    ...(isFirst && { node }),
  }));

const DELTA: fc.Arbitrary<ReadRequest> = fc
  .record({
    ...{ typeUrl: text, nonce: text, subscribe: texts, unsubscribe: texts, error },
    initialVersions: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
  })
  .map(({ error: reason, ...request }) => ({
    ...{ ...NO_REQUEST, ...request },
    ...(reason !== undefined && { error: reason }),
  }));

describe("a request", () => {
  test("says the same after it was written and read", () => {
    fc.assert(
      fc.property(SOTW, DELTA, (sotw, delta) => {
        expect(readRequest(writeRequest(sotw, "sotw"), "sotw")).toEqual(sotw);
        expect(readRequest(writeRequest(delta, "delta"), "delta")).toEqual(delta);
      }),
    );
  });

  test("is what the generated code reads: state of the world", () => {
    const request = { ...NO_REQUEST, typeUrl: "t", nonce: "n", version: "v", names: ["*", "a"], error: "no", node };
    const message = fromBinary(DiscoveryRequestSchema, writeRequest(request, "sotw"));
    expect(message).toMatchObject({ typeUrl: "t", responseNonce: "n", versionInfo: "v", resourceNames: ["*", "a"] });
    expect(message.errorDetail).toMatchObject({ code: 3, message: "no" });
    expect(message.node?.id).toBe(node.id);
  });

  test("is what the generated code reads: delta", () => {
    const members = { subscribe: ["a"], unsubscribe: ["b"], initialVersions: { c: "1" } };
    const message = fromBinary(
      DeltaDiscoveryRequestSchema,
      writeRequest({ ...NO_REQUEST, typeUrl: "t", nonce: "n", ...members }, "delta"),
    );
    expect(message).toMatchObject({
      ...{ typeUrl: "t", responseNonce: "n", resourceNamesSubscribe: ["a"], resourceNamesUnsubscribe: ["b"] },
      initialResourceVersions: { c: "1" },
    });
    expect(message.errorDetail).toBeUndefined();
    expect(message.node).toBeUndefined();
  });

  test("is a NACK also where the client gives no reason", () => {
    const bytes = toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { errorDetail: {} }));
    expect(readRequest(bytes, "sotw").error).toBe("no reason given");
    const delta = toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { errorDetail: {} }));
    expect(readRequest(delta, "delta").error).toBe("no reason given");
  });

  test("may hold what this version does not know", () => {
    fc.assert(
      fc.property(SOTW, UNKNOWN_FIELD, (request, field) => {
        expect(readRequest(concat(writeRequest(request, "sotw"), field), "sotw")).toEqual(request);
      }),
    );
  });

  test("that is none is PROTOBUF, and nothing else is thrown", () => {
    const outcome = (bytes: Uint8Array, protocol: Protocol): unknown => {
      try {
        return readRequest(bytes, protocol);
      } catch (failure) {
        return failure;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), (bytes) => {
        for (const protocol of ["sotw", "delta"] as const) {
          const result = outcome(bytes, protocol);
          if (result instanceof Error) expect(result).toMatchObject({ name: "ParseError", code: "PROTOBUF" });
        }
      }),
      { numRuns: 2_000 },
    );
    expect(outcome(Uint8Array.of(0x0a, 0x05, 0x61), "sotw")).toBeInstanceOf(ParseError);
    expect(outcome(Uint8Array.of(0x0a, 0x05, 0x61), "delta")).toBeInstanceOf(ParseError);
  });
});
