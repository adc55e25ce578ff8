/** Claims of a verified JWT, as they lie in the dynamic metadata that the host serialises. */
import { beforeAll, expect, test } from "vitest";
import { Gate } from "../../host/gate.ts";
import { Owner } from "../../scenarios/owner.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

let gate: Gate;
beforeAll(async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const rules = [
    { when: [{ key: "request.auth.claims[groups]", values: ["admin"] }] },
    { when: [{ key: "request.auth.claims[realm][role]", values: ["admin"] }] },
    { from: [{ source: { requestPrincipals: ["https://issuer.example/alice"] } }] },
  ];
  gate = new Gate([owner]);
  gate.bundles([await owner.bundle({ policies: [{ name: "p", spec: { action: "ALLOW", rules } }] })]);
});

const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 127) | 128), varint(value >>> 7)]);
}

/** google.protobuf.Value */
function valueOf(json: Json): Buffer {
  if (json === null) return Buffer.of(0x08, 0x00);
  if (typeof json === "string") return field(3, Buffer.from(json));
  if (typeof json === "boolean") return Buffer.of(0x20, json ? 1 : 0);
  if (typeof json === "number") {
    const bytes = Buffer.alloc(9, 0x11);
    bytes.writeDoubleLE(json, 1);
    return bytes;
  }
  if (isList(json)) return field(6, Buffer.concat(json.map((item) => field(1, valueOf(item)))));
  return field(5, structOf(json));
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

const structOf = (members: Readonly<Record<string, Json>>): Buffer => mapOf(members, valueOf);

function mapOf<T>(members: Readonly<Record<string, T>>, encode: (value: T) => Buffer): Buffer {
  const entries = Object.entries(members);
  return Buffer.concat(
    entries.map(([name, value]) => field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, encode(value))]))),
  );
}

/** envoy.config.core.v3.Metadata with the payload where the JWT filter puts it. */
const metadata = (payload: Readonly<Record<string, Json>>, filter = "envoy.filters.http.jwt_authn"): Buffer =>
  mapOf({ other: { payload: { groups: "admin" } }, [filter]: { payload } }, structOf);

const status = (bytes: Uint8Array): number => gate.status("/", { attributes: { metadata: bytes } });

test.each<[string, Readonly<Record<string, Json>>, number]>([
  ["a text", { groups: "admin" }, 200],
  ["another text", { groups: "user" }, 403],
  ["one of a list", { groups: ["user", "admin"] }, 200],
  ["none of a list", { groups: ["user"] }, 403],
  ["an empty list", { groups: [] }, 403],
  ["a list with other things too", { groups: [1, null, ["admin"], true, { a: "admin" }] }, 403],
  ["and the text among them", { groups: [1, "admin"] }, 200],
  ["a number", { groups: 1 }, 403],
  ["a boolean", { groups: true }, 403],
  ["null", { groups: null }, 403],
  ["an object", { groups: { admin: "admin" } }, 403],
  ["nested", { realm: { role: "admin" } }, 200],
  ["nested in a list", { realm: { role: ["admin"] } }, 200],
  ["nested one level too deep", { realm: { role: { role: "admin" } } }, 403],
  ["not nested", { realm: "admin" }, 403],
  ["issuer and subject", { iss: "https://issuer.example", sub: "alice" }, 200],
  ["another issuer", { iss: "https://other.example", sub: "alice" }, 403],
  ["no subject", { iss: "https://issuer.example" }, 403],
  ["nothing", {}, 403],
  ["numbers before it", { a: 1.5, b: -1, groups: "admin" }, 200],
])("%s", (_, payload, expected) => {
  expect(status(metadata(payload))).toBe(expected);
});

test("the metadata of another filter does not count", () => {
  expect(status(metadata({ groups: "admin" }, "envoy.filters.http.lua"))).toBe(403);
});

test("bytes that are no metadata hold no claims, and never trap", () => {
  const good = metadata({ realm: { role: ["admin"] }, n: 1.5 });
  for (let length = 0; length < good.length; length++) {
    const { status: answered, details } = gate.request("/", { attributes: { metadata: good.subarray(0, length) } });
    expect([details, [200, 403].includes(answered)]).toEqual([expect.not.stringContaining("trap"), true]);
  }
  for (let at = 0; at < good.length; at++) {
    const damaged = Buffer.from(good);
    damaged[at]! ^= 0xff;
    expect(gate.request("/", { attributes: { metadata: damaged } }).details).not.toBe("trap");
  }
});
