import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { bytesField, encodeTag, stringField, varintField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { ParseError } from "../../xds-proxy/src/errors.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { deltaBytes, makeResource, readDeltaResource } from "../../xds-proxy/src/xds/resource.ts";
import { readResponse, writeResponse, type Response } from "../../xds-proxy/src/xds/response.ts";
import { LISTENER, TYPES, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import {
  anyOf,
  DELTA,
  LISTENER_ANY,
  listenerOf,
  responseOf,
  SECRET,
  SOTW,
  UNKNOWN_FIELD,
  WRAPPED,
  wrappedOf,
} from "./messages.ts";

const PROTOCOLS: readonly Protocol[] = ["sotw", "delta"];

/** A ParseError PROTOBUF, or a response whose resources were read, too. */
function outcomeOf(bytes: Uint8Array, protocol: Protocol): Response | "PROTOBUF" {
  try {
    return { ...readResponse(bytes, protocol) };
  } catch (error) {
    if (error instanceof ParseError && error.code === "PROTOBUF") return "PROTOBUF";
    throw error;
  }
}

describe("a response that the generated code has written", () => {
  test("is read as it was meant: state of the world", () => {
    fc.assert(
      fc.property(SOTW, ({ bytes, typeUrl, version, nonce, resources }) => {
        const read = readResponse(bytes, "sotw");
        expect(read).toMatchObject({ typeUrl, version, nonce, removed: [], raw: bytes });
        const isKnown = TYPES.has(typeUrl);
        expect(read.resources.map(({ name, value, typeUrl: inner }) => ({ name, value, inner }))).toEqual(
          resources.map(({ name, value }) => ({ name: isKnown ? name : "", value, inner: typeUrl })),
        );
      }),
    );
  });

  test("is read as it was meant: delta", () => {
    fc.assert(
      fc.property(DELTA, ({ bytes, typeUrl, version, nonce, removed, resources }) => {
        const read = readResponse(bytes, "delta");
        expect(read).toMatchObject({ typeUrl, version, nonce, removed, raw: bytes });
        expect(
          read.resources.map(({ name, version: own, typeUrl: inner, value }) => ({
            ...{ name, version: own, typeUrl: inner, value },
          })),
        ).toEqual(resources);
      }),
    );
  });

  test("keeps its bytes when it is passed on: another nonce and version follow, which count", () => {
    fc.assert(
      fc.property(SOTW, DELTA, fc.string(), fc.string(), (sotw, delta, nonce, version) => {
        const [one, other] = [
          writeResponse({ ...readResponse(sotw.bytes, "sotw"), nonce, version }, "sotw"),
          writeResponse({ ...readResponse(delta.bytes, "delta"), nonce, version }, "delta"),
        ];
        expect(one.subarray(0, sotw.bytes.length)).toEqual(sotw.bytes);
        expect(other.subarray(0, delta.bytes.length)).toEqual(delta.bytes);
        expect(fromBinary(DiscoveryResponseSchema, one)).toEqual({
          ...fromBinary(DiscoveryResponseSchema, sotw.bytes),
          ...{ nonce, versionInfo: version },
        });
        expect(fromBinary(DeltaDiscoveryResponseSchema, other)).toEqual({
          ...fromBinary(DeltaDiscoveryResponseSchema, delta.bytes),
          ...{ nonce, systemVersionInfo: version },
        });
      }),
    );
  });

  test("says the same after it was written anew", () => {
    fc.assert(
      fc.property(SOTW, DELTA, (sotw, delta) => {
        for (const [protocol, bytes] of [["sotw", sotw.bytes] as const, ["delta", delta.bytes] as const]) {
          const { raw, ...read } = readResponse(bytes, protocol);
          expect(raw).toBe(bytes);
          const { raw: again, ...reread } = readResponse(writeResponse(read, protocol), protocol);
          expect(reread).toEqual(read);
          expect(again).toBeDefined();
        }
      }),
    );
  });

  test("may hold fields that nobody knows, anywhere between its own", () => {
    fc.assert(
      fc.property(DELTA, UNKNOWN_FIELD, ({ bytes }, field) => {
        const read = readResponse(bytes, "delta");
        for (const raw of [concat(field, bytes), concat(bytes, field)])
          expect(readResponse(raw, "delta")).toEqual({ ...read, raw });
      }),
    );
  });

  test("ends as ParseError PROTOBUF, or as what its beginning says, wherever it is cut off", () => {
    fc.assert(
      fc.property(SOTW, DELTA, fc.double({ min: 0, max: 0.999, noNaN: true }), (sotw, delta, share) => {
        const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.floor(bytes.length * share));
        for (const [protocol, bytes, schema] of [
          ["sotw", cut(sotw.bytes), DiscoveryResponseSchema] as const,
          ["delta", cut(delta.bytes), DeltaDiscoveryResponseSchema] as const,
        ]) {
          const outcome = outcomeOf(bytes, protocol);
          if (outcome !== "PROTOBUF") expect(fromBinary(schema, bytes).nonce).toBe(outcome.nonce);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("is PROTOBUF and nothing else, or read, whatever the bytes", () => {
    let readCount = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...PROTOCOLS), (bytes, protocol) => {
        if (outcomeOf(bytes, protocol) !== "PROTOBUF") readCount++;
      }),
      { numRuns: 5_000 },
    );
    expect(readCount).toBeGreaterThan(10);
  });
});

describe("bytes that say something twice, or in another way", () => {
  test.each(PROTOCOLS)("%s: the last type, version and nonce count", (protocol) => {
    const twice = concat(responseOf("type.googleapis.com/x", ...[]), responseOf(LISTENER));
    const last = concat(twice, stringField(1, "v2"), stringField(5, "n2"));
    expect(readResponse(last, protocol)).toMatchObject({ typeUrl: LISTENER, version: "v2", nonce: "n2" });
  });

  test("a type at the end still says where the names of the resources before it are", () => {
    const bytes = concat(bytesField(2, LISTENER_ANY), stringField(4, LISTENER));
    expect(readResponse(bytes, "sotw").resources.map(({ name }) => name)).toEqual(["a"]);
  });

  test("a name of a wire type that it does not have is no name", () => {
    const value = concat(listenerOf("a"), varintField(1, 7), concat(encodeTag(1, 5), new Uint8Array(4)));
    const read = readResponse(responseOf(LISTENER, anyOf(LISTENER, value)), "sotw");
    expect(read.resources.map(({ name }) => name)).toEqual(["a"]);
  });

  test("a resource's message that is there twice is both in one, as Envoy reads it", () => {
    const evil = anyOf(LISTENER, listenerOf("evil"));
    for (const second of [new Uint8Array(), stringField(1, LISTENER), bytesField(15, new Uint8Array(3))]) {
      const delta = wrappedOf("a", "1", evil, second);
      const message = fromBinary(DeltaDiscoveryResponseSchema, responseOf(LISTENER, delta)).resources[0]?.resource;
      const read = readDeltaResource(delta);
      expect(read.value).toEqual(message?.value);
      expect(read.value).toEqual(listenerOf("evil"));
      expect(read.typeUrl).toBe(LISTENER);
      expect(readResponse(responseOf(LISTENER, anyOf(WRAPPED, delta)), "sotw").resources[0]).toMatchObject({
        ...{ name: "a", typeUrl: LISTENER, value: listenerOf("evil") },
      });
    }
  });

  test("names that are not UTF-8 are PROTOBUF; a byte order mark belongs to the name", () => {
    const bad = concat(Uint8Array.of(10, 2, 0xc3, 0x28));
    expect(outcomeOf(responseOf(LISTENER, anyOf(LISTENER, bad)), "sotw")).toBe("PROTOBUF");
    expect(outcomeOf(responseOf(LISTENER, bad), "delta")).toBe("PROTOBUF");
    const marked = readResponse(responseOf(LISTENER, anyOf(LISTENER, listenerOf("\uFEFFa"))), "sotw");
    expect(marked.resources.map(({ name }) => name)).toEqual(["\uFEFFa"]);
  });

  test.each([
    ["a field number of zero", Uint8Array.of(0x02, 0x00)],
    ["an end without a beginning", Uint8Array.of(0x0c)],
    ["a group that does not end", encodeTag(9, 3)],
    ["a wire type that is none", Uint8Array.of(0x0e)],
    ["a length past the end", Uint8Array.of(0x0a, 0x7f)],
    ["a length that is cut off", Uint8Array.of(0x0a, 0x80)],
  ])("%s is PROTOBUF", (_, bytes) => {
    for (const protocol of PROTOCOLS) expect(outcomeOf(bytes, protocol)).toBe("PROTOBUF");
  });
});

describe("state of the world", () => {
  test("takes resources with a time to live, whose names are outside", () => {
    const wrapped = anyOf(WRAPPED, wrappedOf("tls", "7", anyOf(SECRET, stringField(1, "tls"))));
    const { resources } = readResponse(responseOf(SECRET, wrapped), "sotw");
    expect(resources).toEqual([
      { name: "tls", version: "", typeUrl: SECRET, value: stringField(1, "tls"), any: wrapped },
    ]);
  });

  test("a resource that was made here is an Any", () => {
    const made = makeResource({ name: "a", version: "9", typeUrl: LISTENER, value: listenerOf("a") });
    const response = { typeUrl: LISTENER, version: "v", nonce: "n", resources: [made], removed: [] };
    const message = fromBinary(DiscoveryResponseSchema, writeResponse(response, "sotw"));
    expect(message).toMatchObject({ typeUrl: LISTENER, versionInfo: "v", nonce: "n" });
    expect(message.resources.map(({ typeUrl, value }) => [typeUrl, value])).toEqual([[LISTENER, listenerOf("a")]]);
  });
});

test("state of the world has no words for what is gone", () => {
  const response = { typeUrl: LISTENER, version: "v", nonce: "n", resources: [], removed: ["a"] };
  expect(readResponse(writeResponse(response, "sotw"), "sotw")).toMatchObject({ removed: [], nonce: "n" });
});

describe("delta", () => {
  test("a resource that was made here has its name and version around it", () => {
    const made = makeResource({ name: "a", version: "9", typeUrl: LISTENER, value: listenerOf("a") });
    const response = { typeUrl: LISTENER, version: "v", nonce: "n", resources: [made], removed: ["b", "c"] };
    const message = fromBinary(DeltaDiscoveryResponseSchema, writeResponse(response, "delta"));
    expect(message).toMatchObject({
      typeUrl: LISTENER,
      systemVersionInfo: "v",
      nonce: "n",
      removedResources: ["b", "c"],
    });
    expect(message.resources[0]).toMatchObject({ name: "a", version: "9" });
    expect(message.resources[0]?.resource?.value).toEqual(listenerOf("a"));
    expect(readDeltaResource(deltaBytes(made))).toMatchObject({ name: "a", version: "9", value: listenerOf("a") });
  });

  test("a resource without a version says none", () => {
    const made = makeResource({ name: "a", version: "", typeUrl: LISTENER, value: listenerOf("a") });
    expect(deltaBytes(made)).toEqual(concat(bytesField(2, made.any), bytesField(3, utf8("a"))));
  });
});
