import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeWebpushMessage, encodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import { ViaSchema, WebpushMessageSchema } from "../../xds-proxy/src/gen/proto/webpush_pb.js";

const bytes = fc.uint8Array({ maxLength: 20 });
const string = fc.string({ unit: "grapheme", maxLength: 8 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

test("what the generated code writes is read the same", () => {
  const via = fc.record({ time: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), vip: string });
  const vapid = fc.record({ k: bytes, data: bytes, tType: bytes, tSignature: bytes });
  const cosigner = fc.record({ k: bytes, tSignature: bytes });
  const message = fc.record({
    ...{ id: string, push: string, data: bytes, sender: vapid, from: string },
    ...{ path: fc.array(via, { maxLength: 3 }), contentEncoding: int32, ttl: int32 },
    cosigners: fc.array(cosigner, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(message, (fields) => {
      const path = fields.path.map((hop) => create(ViaSchema, hop));
      const read = decodeWebpushMessage(
        toBinary(WebpushMessageSchema, create(WebpushMessageSchema, { ...fields, path })),
      );
      const { path: hops, cosigners, ...rest } = read;
      const { path: sentHops, cosigners: sentCosigners, ...sentRest } = fields;
      expect(rest).toEqual(sentRest);
      expect(hops).toEqual(sentHops);
      expect(cosigners.map(({ k, tSignature }) => ({ k, tSignature }))).toEqual(sentCosigners);
    }),
  );
});

test("what is written here is read the same by the generated code", () => {
  const signer = fc.record({ k: bytes, tSignature: bytes });
  const message = fc.record({
    ...{ data: bytes, sender: fc.record({ k: bytes, data: bytes, tSignature: bytes }) },
    ...{
      cosigners: fc.array(signer, { maxLength: 3 }),
      contentEncoding: fc.constantFrom(0 as const, 1 as const),
      id: string,
    },
  });
  fc.assert(
    fc.property(message, (fields) => {
      const read = fromBinary(WebpushMessageSchema, encodeWebpushMessage(fields));
      expect(read).toMatchObject({ ...fields, $typeName: "webpush.WebpushMessage" });
      expect(read.$unknown).toBeUndefined();
    }),
  );
});
