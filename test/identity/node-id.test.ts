import { create, toBinary, type JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NodeSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/base_pb.js";
import { nodeIdentity, parseNodeId, readNode } from "../../xds-proxy/src/identity/node-id.ts";

const ID = "sidecar~10.0.0.1~app-7d4.team-a~team-a.svc.cluster.local";
const METADATA = {
  NAMESPACE: "team-a",
  SERVICE_ACCOUNT: "app",
  LABELS: { app: "backend", "security.istio.io/tlsMode": "istio", empty: "" },
  CLUSTER_ID: "Kubernetes",
  PLATFORM_METADATA: { nested: [1, null, true] },
};

function encoded(id: string, metadata?: JsonObject): Uint8Array {
  return toBinary(NodeSchema, create(NodeSchema, { id, ...(metadata && { metadata }) }));
}

describe("a node id", () => {
  test.each([
    [ID, { type: "sidecar", address: "10.0.0.1", pod: "app-7d4", namespace: "team-a" }],
    [
      "router~fd00::1~gw.x.istio-system~istio-system.svc.mesh.example",
      { type: "router", address: "fd00::1", pod: "gw.x", namespace: "istio-system" },
    ],
    ["waypoint~0.0.0.0~w.ns~ns.svc.local", { type: "waypoint", address: "0.0.0.0", pod: "w", namespace: "ns" }],
  ])("%s is read", (id, parts) => {
    expect(parseNodeId(id)).toEqual(parts);
  });

  test.each([
    ["", "nothing"],
    ["sidecar~10.0.0.1~app.team-a", "three parts"],
    [`${ID}~more`, "five parts"],
    ["ztunnel~10.0.0.1~app.team-a~team-a.svc.cluster.local", "a type that asks for other things"],
    ["Sidecar~10.0.0.1~app.team-a~team-a.svc.cluster.local", "a type in another case"],
    ["sidecar~10.0.0~app.team-a~team-a.svc.cluster.local", "no address"],
    ["sidecar~~app.team-a~team-a.svc.cluster.local", "an empty address"],
    ["sidecar~10.0.0.1~team-a~team-a.svc.cluster.local", "no pod"],
    ["sidecar~10.0.0.1~.team-a~team-a.svc.cluster.local", "an empty pod"],
    ["sidecar~10.0.0.1~app.~.svc.cluster.local", "an empty namespace"],
    ["sidecar~10.0.0.1~app.Team-A~Team-A.svc.cluster.local", "capital letters"],
    ["sidecar~10.0.0.1~app.team-a~team-b.svc.cluster.local", "a domain of another namespace"],
    ["sidecar~10.0.0.1~app.team-a~team-a.cluster.local", "a domain that is none of services"],
    ["sidecar~10.0.0.1~app.team-a~team-a.svc.", "a domain that ends early"],
    [`${ID}\n`, "a line end"],
    [`sidecar~10.0.0.1~app\u0000.team-a~team-a.svc.cluster.local`, "a NUL"],
    [`sidecar~10.0.0.1~\u00e4pp.team-a~team-a.svc.cluster.local`, "a letter that is not ASCII"],
    [`sidecar~10.0.0.1~${"a.".repeat(300)}team-a~team-a.svc.cluster.local`, "too many characters"],
    ["sidecar~10.0.0.1~../../etc.team-a~team-a.svc.cluster.local", "a path"],
  ])("%j is refused: %s", (id) => {
    expect(parseNodeId(id)).toBeUndefined();
    expect(readNode(encoded(id, METADATA))).toMatchObject({ ok: false, code: "NODE" });
  });

  test("is printable and short whatever was accepted", () => {
    const part = fc.oneof(
      fc.constantFrom("sidecar", "10.0.0.1", "app.team-a", "team-a.svc.cluster.local"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), (parts) => {
        const id = parts.join("~");
        const accepted = parseNodeId(id) !== undefined;
        expect(accepted && !/^[\x21-\x7e]{1,512}$/.test(id)).toBe(false);
      }),
    );
  });
});

describe("a node", () => {
  test("is read from its first request", () => {
    expect(readNode(encoded(ID, METADATA))).toEqual({
      ok: true,
      node: { id: ID, type: "sidecar", namespace: "team-a", serviceAccount: "app", labels: METADATA.LABELS },
    });
  });

  test("needs no service account and no labels", () => {
    expect(readNode(encoded(ID, { NAMESPACE: "team-a" }))).toMatchObject({
      ok: true,
      node: { serviceAccount: undefined, labels: {} },
    });
  });

  test("of two namespaces is refused with both names", () => {
    expect(readNode(encoded(ID, { ...METADATA, NAMESPACE: "team-b" }))).toEqual({
      ok: false,
      code: "NODE",
      reason: "the node id names namespace team-a, its metadata team-b",
    });
  });

  test.each<readonly [what: string, metadata: unknown]>([
    ["without metadata", undefined],
    ["without a namespace", { ...METADATA, NAMESPACE: undefined }],
    ["with a number for a namespace", { ...METADATA, NAMESPACE: 7 }],
    ["with an empty namespace", { ...METADATA, NAMESPACE: "" }],
    ["with a hostile namespace", { ...METADATA, NAMESPACE: "team-a\n" }],
    ["with a service account that is none", { ...METADATA, SERVICE_ACCOUNT: "a/b" }],
    ["with an empty service account", { ...METADATA, SERVICE_ACCOUNT: "" }],
    ["with a null service account", { ...METADATA, SERVICE_ACCOUNT: null }],
    ["with a list of labels", { ...METADATA, LABELS: ["app"] }],
    ["with a label that is no text", { ...METADATA, LABELS: { app: 1 } }],
    ["with a control character in a label", { ...METADATA, LABELS: { app: "a\u0007" } }],
    ["with a control character in a label's name", { ...METADATA, LABELS: { "a\u0007": "a" } }],
    ["with a label that is too long", { ...METADATA, LABELS: { app: "a".repeat(64) } }],
    ["with a label's name that is too long", { ...METADATA, LABELS: { ["a".repeat(318)]: "" } }],
    [
      "with too many labels",
      { ...METADATA, LABELS: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`l${i}`, ""])) },
    ],
  ])("%s is refused", (_, metadata) => {
    expect(nodeIdentity(ID, metadata)).toMatchObject({ ok: false, code: "NODE" });
  });

  test("a label called __proto__ is no way in", () => {
    const verdict = nodeIdentity(ID, JSON.parse('{"NAMESPACE":"team-a","LABELS":{"__proto__":"x"}}'));
    expect(verdict).toMatchObject({ ok: false, code: "NODE" });
  });

  test("of bytes that are no message is refused", () => {
    expect(readNode(Uint8Array.of(0x0a, 0x7f))).toEqual({ ok: false, code: "NODE", reason: "the node is malformed" });
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(readNode(bytes)).toMatchObject({ ok: false, code: "NODE" });
      }),
    );
  });
});
