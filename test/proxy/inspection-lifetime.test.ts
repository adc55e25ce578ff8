import { beforeAll, expect, test } from "vitest";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { readResponse, writeResponse, type Response } from "../../xds-proxy/src/xds/response.ts";
import { CLUSTER, EXTENSION, LISTENER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { InspectionStage } from "./inspection-stage.ts";
import { clusterOf, deltaOf, EXT, extensionOf, listenerOf, MODULE_SHA256 } from "./istiod-resources.ts";
import { guardOf, pinOf, policyOf, TestOwner } from "./owner.ts";

const START_MS = Date.parse("2030-01-01T00:00:00Z");
const PROTOCOLS = ["sotw", "delta"] as const;
const WRAPPED = "type.googleapis.com/envoy.service.discovery.v3.Resource";
/** `google.protobuf.Duration` of one second, as `Resource.ttl`. */
const TTL = bytesField(6, Uint8Array.of(8, 1));
const GOOD = listenerOf("inbound", 8080, [EXT]);

let owner: TestOwner;
let guarded: NamespaceBundle;

beforeAll(async () => {
  owner = await TestOwner.create("team-a", START_MS);
  const spec = { ports: [{ port: 8080 }], belt: false, filter: { sha256: [MODULE_SHA256] } };
  guarded = await owner.publish([policyOf("team-a", "GET"), guardOf("team-a", spec)]);
});

/** One resource that its client deletes after a second, in either protocol. */
function mortal(protocol: Protocol, typeUrl: string, name: string, value: Uint8Array): Response {
  const delta = concat(deltaOf(name, "1", typeUrl, value), TTL);
  const wrapped = concat(stringField(1, WRAPPED), bytesField(2, delta));
  const raw = concat(bytesField(2, protocol === "delta" ? delta : wrapped), stringField(4, typeUrl));
  return readResponse(raw, protocol);
}

/** What Envoy reads, after the wire. */
function arrived({ delivery }: { delivery?: Omit<Response, "nonce"> }, protocol: Protocol): Response {
  if (delivery === undefined) throw new Error("nothing is delivered");
  return readResponse(writeResponse({ ...delivery, nonce: "1" }, protocol), protocol);
}

test.each(PROTOCOLS)("%s: a protected listener does not run out, and is not sent again for it", async (protocol) => {
  const stage = new InspectionStage({ protocol, pin: pinOf(owner), nowMs: START_MS + 3_600_000 });
  await stage.send(EXTENSION, { [EXT]: extensionOf({ text: encodeBundle([guarded]) }) });
  const given = mortal(protocol, LISTENER, "inbound", GOOD);
  expect(given.resources.map(({ expires }) => expires)).toEqual([true]);
  const result = stage.take(await stage.inspection.inspect(given));
  expect(result.refused).toEqual([]);
  const { resources } = arrived(result, protocol);
  expect(resources.map(({ name, value, expires }) => [name, Buffer.from(value), expires])).toEqual([
    ["inbound", Buffer.from(GOOD), undefined],
  ]);
  expect(await stage.inspection.again(LISTENER)).toBeUndefined();
});

test.each(PROTOCOLS)(
  "%s: nor does one that no Guard protects yet, or an extension that stays as it is",
  async (protocol) => {
    const stage = new InspectionStage({ protocol, pin: pinOf(owner), nowMs: START_MS, namespace: "team-b" });
    const plain = concat(stringField(1, "plain"));
    for (const [typeUrl, name, value] of [
      [LISTENER, "inbound", GOOD],
      [EXTENSION, "plain", plain],
    ] as const) {
      const { resources } = arrived(await stage.inspection.inspect(mortal(protocol, typeUrl, name, value)), protocol);
      expect(resources.map((resource) => [resource.name, resource.expires])).toEqual([[name, undefined]]);
    }
  },
);

test.each(PROTOCOLS)("%s: what may be removed may run out: it goes on as it came", async (protocol) => {
  const stage = new InspectionStage({ protocol, pin: pinOf(owner), nowMs: START_MS });
  const given = mortal(protocol, CLUSTER, "backend", clusterOf("backend", "10.0.0.9", 8080));
  expect((await stage.inspection.inspect(given)).delivery).toBe(given);
});
