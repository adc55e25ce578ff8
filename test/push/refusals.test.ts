/** What a receiver refuses, and what it calls it (docs/envelope.md section 10). */
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { bytesField, stringField, varintField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import type { StatementOptions } from "../../xds-proxy/src/envelope/seal.ts";
import { OUTER_MAX_BYTES } from "../../xds-proxy/src/push/push-receiver.ts";
import { newSessionId } from "../../xds-proxy/src/push/session-id.ts";
import { HEARTBEAT, PUSHED_TYPES_MAX_COUNT, WEBPUSH_MESSAGE } from "../../xds-proxy/src/push/types.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { CLUSTERS, codeOf, LISTENERS, newMesh, responseOf, RESPONSE, Stage } from "./stage.ts";

const NO_SESSION = "";

describe("a push", () => {
  test("that is good, as the others differ from it in one thing", async () => {
    const stage = await Stage.open();
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, await stage.forge())))).toBe("response");
  });

  const now = Math.floor(Date.now() / 1000);
  test.each<readonly [what: string, code: string, changes: Partial<StatementOptions>]>([
    ["of another session", "SESSION", { sid: newSessionId() }],
    ["of no session", "SESSION", { sid: NO_SESSION }],
    ["that is not the first", "SEQUENCE", { seq: "2" }],
    ["for another node", "NAME", { name: "sidecar~10.0.0.2~app.team-b~team-b.svc.cluster.local" }],
    ["of the other protocol", "TYPE", { rt: "envoy.service.discovery.v3.DeltaDiscoveryResponse" }],
    ["that is a heartbeat by its type", "TYPE", { rt: HEARTBEAT }],
    ["with a response of another type inside", "TYPE", { data: responseOf(LISTENERS) }],
    ["with bytes inside that are no response", "PAYLOAD", { data: Uint8Array.of(0x22, 0x7f, 0x41) }],
    ["of another mesh", "AUDIENCE", { mesh: "mesh-2" }],
    ["of another trust domain", "AUDIENCE", { trustDomain: "other.example" }],
    ["of another namespace", "AUDIENCE", { ns: "team-a" }],
    ["signed by a stranger", "KEY_UNKNOWN", { signers: [SigningKey.generate()] }],
    ["that has expired", "EXPIRED", { iatSec: now - 4_000, expSec: now - 400 }],
    ["that was signed ahead of time", "NOT_YET_VALID", { iatSec: now + 400, expSec: now + 4_000 }],
    ["that lives longer than a day", "TTL_TOO_LONG", { iatSec: now, expSec: now + 86_401 }],
    ["under a root that is not there yet", "EPOCH", { ep: 2 }],
    ["that is no push", "USE", { use: "cfg", ver: "1" }],
  ])("%s is refused: %s", async (_, code, changes) => {
    const stage = await Stage.open();
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, await stage.forge(changes))))).toBe(code);
  });

  test("signed by a key of another role is refused", async () => {
    const mesh = await newMesh();
    const stage = await Stage.open({ mesh });
    const envelope = await stage.forge({ signers: [mesh.owner.keys.cfg] });
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, envelope)))).toBe("KEY_ROLE");
  });

  test("whose bytes were changed is refused", async () => {
    const stage = await Stage.open();
    const outer = await stage.session.push(CLUSTERS, responseOf(CLUSTERS, new Uint8Array(5_000)));
    outer[2_000] = 1;
    expect(codeOf(stage.receiver.take(outer))).toBe("DIGEST");
  });

  test("of one type too many is refused", async () => {
    const stage = await Stage.open();
    for (let i = 0; i < PUSHED_TYPES_MAX_COUNT; i++) {
      expect(codeOf(await stage.push(`t/${i}`, responseOf(`t/${i}`)))).toBe("response");
    }
    const seq = String(PUSHED_TYPES_MAX_COUNT + 1);
    const envelope = await stage.forge({ seq, data: responseOf("t/one-more") });
    expect(codeOf(stage.receiver.take(stage.outer("t/one-more", envelope)))).toBe("SIZE");
  });

  test("is refused for ever after the first refusal, in the same words", async () => {
    const stage = await Stage.open();
    const [first, second] = [
      await stage.session.push(CLUSTERS, responseOf(CLUSTERS)),
      await stage.session.push(CLUSTERS, responseOf(CLUSTERS)),
    ];
    const refusal = stage.receiver.take(second);
    expect(refusal).toMatchObject({ kind: "refused", code: "SEQUENCE" });
    expect(stage.receiver.take(first)).toBe(refusal);
  });
});

describe("the order of a session", () => {
  test.each<readonly [what: string, order: readonly number[], verdicts: readonly string[]]>([
    ["as it was sent", [0, 1, 2], ["response", "response", "response"]],
    ["a gap", [0, 2], ["response", "SEQUENCE"]],
    ["the first one missing", [1], ["SEQUENCE"]],
    ["one twice", [0, 0], ["response", "SEQUENCE"]],
    ["an old one again", [0, 1, 0], ["response", "response", "SEQUENCE"]],
    ["two swapped", [0, 2, 1], ["response", "SEQUENCE", "SEQUENCE"]],
  ])("%s", async (_, order, verdicts) => {
    const stage = await Stage.open();
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 3; i++) sent.push(await stage.session.push(CLUSTERS, responseOf(CLUSTERS)));
    expect(order.map((i) => codeOf(stage.receiver.take(sent[i]!)))).toEqual(verdicts);
  });

  test("a push that was left out shows at the next heartbeat", async () => {
    const stage = await Stage.open();
    await stage.session.push(CLUSTERS, responseOf(CLUSTERS));
    expect(codeOf(stage.receiver.take(await stage.session.heartbeat()))).toBe("SEQUENCE");
  });
});

describe("a heartbeat", () => {
  const good = `{"kind":"Heartbeat","types":[{"rt":"${CLUSTERS}","seq":"1"},{"rt":"${LISTENERS}","seq":"2"}]}`;
  test.each<readonly [what: string, code: string, payload: string]>([
    ["that agrees", "heartbeat", good],
    ["with white space before it", "heartbeat", ` ${good}`],
    ["of nothing", "SEQUENCE", '{"kind":"Heartbeat","types":[]}'],
    ["that leaves a type out", "SEQUENCE", `{"kind":"Heartbeat","types":[{"rt":"${CLUSTERS}","seq":"1"}]}`],
    ["with another seq", "SEQUENCE", good.replace('"2"', '"3"')],
    ["with a type that never came", "SEQUENCE", good.replace("listener.v3", "listener.v4")],
    ["of another kind", "PAYLOAD", good.replace("Heartbeat", "Heartbeats")],
    ["that is not sorted", "PAYLOAD", `{"kind":"Heartbeat","types":[{"rt":"b","seq":"1"},{"rt":"a","seq":"2"}]}`],
    ["with a type twice", "PAYLOAD", `{"kind":"Heartbeat","types":[{"rt":"a","seq":"1"},{"rt":"a","seq":"1"}]}`],
    ["with a number for a seq", "PAYLOAD", good.replace('"2"', "2")],
    ["with seq 0", "PAYLOAD", good.replace('"2"', '"0"')],
    ["with a leading zero", "PAYLOAD", good.replace('"2"', '"02"')],
    ["with another member", "PAYLOAD", good.replace('{"kind"', '{"at":1,"kind"')],
    ["with another member in a type", "PAYLOAD", good.replace('"seq":"2"', '"seq":"2","at":1')],
    ["without types", "PAYLOAD", '{"kind":"Heartbeat"}'],
    ["with something after it", "PAYLOAD", `${good} `],
    ["that is no JSON", "PAYLOAD", "Heartbeat"],
    ["of too many types", "PAYLOAD", manyTypes(PUSHED_TYPES_MAX_COUNT + 1)],
    ["of as many types as are allowed", "SEQUENCE", manyTypes(PUSHED_TYPES_MAX_COUNT)],
  ])("%s: %s", async (_, code, payload) => {
    const stage = await Stage.open();
    await stage.push(CLUSTERS, responseOf(CLUSTERS));
    await stage.push(LISTENERS, responseOf(LISTENERS));
    const envelope = await stage.forge({ rt: HEARTBEAT, seq: "3", data: utf8(payload) });
    expect(codeOf(stage.receiver.take(stage.outer(WEBPUSH_MESSAGE, envelope)))).toBe(code);
  });

  test("that comes as a response, or a response that comes as a heartbeat, is refused", async () => {
    const [first, second] = [await Stage.open(), await Stage.open()];
    const heartbeat = await first.forge({ rt: HEARTBEAT, data: utf8('{"kind":"Heartbeat","types":[]}') });
    expect(codeOf(first.receiver.take(first.outer(HEARTBEAT, heartbeat)))).toBe("TYPE");
    expect(codeOf(second.receiver.take(second.outer(WEBPUSH_MESSAGE, await second.forge())))).toBe("TYPE");
  });
});

function manyTypes(count: number): string {
  const types = Array.from({ length: count }, (_, i) => ({ rt: `t${1000 + i}`, seq: "1" }));
  return JSON.stringify({ kind: "Heartbeat", types });
}

describe("an outer response", () => {
  type Build = (envelope: Uint8Array) => readonly Uint8Array[];
  const any = (envelope: Uint8Array, typeUrl = WEBPUSH_MESSAGE): Uint8Array =>
    concat(stringField(1, typeUrl), bytesField(2, envelope));
  const resource = (envelope: Uint8Array): Uint8Array => bytesField(2, bytesField(2, any(envelope)));
  const type = stringField(4, CLUSTERS);
  const sotw: readonly (readonly [what: string, verdict: string, build: Build])[] = [
    ["that is good", "response", (e) => [bytesField(2, any(e)), type]],
    ["in another order", "response", (e) => [type, bytesField(2, any(e))]],
    [
      "with a control plane's name",
      "response",
      (e) => [bytesField(2, any(e)), type, bytesField(6, stringField(1, "x"))],
    ],
    ["without a resource", "PROTO", () => [type]],
    ["with two resources", "PROTO", (e) => [bytesField(2, any(e)), bytesField(2, any(e)), type]],
    ["with a resource of another type", "PROTO", (e) => [bytesField(2, any(e, CLUSTERS)), type]],
    ["with a second resource of another type", "PROTO",
      (e) => [bytesField(2, any(e)), bytesField(2, any(e, CLUSTERS)), type]], // prettier-ignore
    ["with two type URLs", "PROTO", (e) => [bytesField(2, any(e)), type, type]],
    ["with two nonces", "PROTO", (e) => [bytesField(2, any(e)), type, stringField(5, "a"), stringField(5, "b")]],
    ["with two versions", "PROTO", (e) => [stringField(1, "a"), stringField(1, "b"), bytesField(2, any(e)), type]],
    ["with two values in the resource", "PROTO", (e) => [bytesField(2, any(e), bytesField(2, e)), type]],
    ["with an unknown field in the resource", "PROTO", (e) => [bytesField(2, any(e), stringField(3, "x")), type]],
    ["with the canary flag", "PROTO", (e) => [bytesField(2, any(e)), type, varintField(3, 1)]],
    ["with resource errors", "PROTO", (e) => [bytesField(2, any(e)), type, bytesField(7, new Uint8Array())]],
    [
      "with a nonce that is no UTF-8",
      "PROTO",
      (e) => [bytesField(2, any(e)), type, bytesField(5, Uint8Array.of(0xff))],
    ],
    ["that is cut off", "PROTO", (e) => [type, bytesField(2, any(e)).subarray(0, -1)]],
    ["without a type URL", "TYPE", (e) => [bytesField(2, any(e))]],
    ["with an empty envelope", "PROTO", () => [bytesField(2, any(new Uint8Array())), type]],
  ];
  const delta: typeof sotw = [
    ["that is good", "response", (e) => [resource(e), type]],
    ["with a name and a version of a relay", "response",
      (e) => [bytesField(2, bytesField(2, any(e)), stringField(3, "x"), stringField(1, "7")), type]], // prettier-ignore
    ["with a control plane's name", "response", (e) => [resource(e), type, bytesField(7, stringField(1, "x"))]],
    ["that removes something", "PROTO", (e) => [resource(e), type, stringField(6, "backend")]],
    [
      "that removes something by a longer name",
      "PROTO",
      (e) => [resource(e), type, bytesField(8, stringField(1, "x"))],
    ],
    ["with two resources", "PROTO", (e) => [resource(e), resource(e), type]],
    ["with two messages in the resource", "PROTO",
      (e) => [bytesField(2, bytesField(2, any(e)), bytesField(2, any(e))), type]], // prettier-ignore
    ["with an alias", "PROTO", (e) => [bytesField(2, bytesField(2, any(e)), stringField(4, "x")), type]],
    [
      "with a time to live",
      "PROTO",
      (e) => [bytesField(2, bytesField(2, any(e)), bytesField(6, new Uint8Array())), type],
    ],
    ["with an empty resource", "PROTO", () => [bytesField(2, new Uint8Array()), type]],
    ["of the other protocol", "PROTO", (e) => [bytesField(2, any(e)), type]],
  ];
  const rows = [...sotw.map((row) => ["sotw", ...row] as const), ...delta.map((row) => ["delta", ...row] as const)];

  test.each<readonly [Protocol, string, string, Build]>(rows)("%s, %s: %s", async (protocol, _, verdict, build) => {
    const stage = await Stage.open({ protocol });
    const rt = protocol === "sotw" ? RESPONSE : "envoy.service.discovery.v3.DeltaDiscoveryResponse";
    const envelope = await stage.forge({ rt });
    expect(codeOf(stage.receiver.take(concat(...build(envelope))))).toBe(verdict);
  });

  test("that is too long is refused before it is read", async () => {
    const stage = await Stage.open();
    expect(codeOf(stage.receiver.take(new Uint8Array(OUTER_MAX_BYTES + 1)))).toBe("SIZE");
  });

  test.each([new Uint8Array(), Uint8Array.of(0), new Uint8Array(1000).fill(0xff)])(
    "of arbitrary bytes is refused",
    async (bytes) => {
      const stage = await Stage.open();
      expect(codeOf(stage.receiver.take(bytes))).toBe("PROTO");
    },
  );
});
