import { randomBytes } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { inspectEnvelope } from "../../xds-proxy/src/envelope/inspect.ts";
import { ConfigError, LimitError, UpstreamError } from "../../xds-proxy/src/errors.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { PUSH_DATA_MAX_BYTES } from "../../xds-proxy/src/gen/limits.ts";
import { PUSHED_TYPES_MAX_COUNT, WEBPUSH_MESSAGE } from "../../xds-proxy/src/push/types.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { CLUSTERS, codeOf, LISTENERS, newMesh, NODE, responseOf, RESPONSE, Stage } from "./stage.ts";

const PROTOCOLS: readonly Protocol[] = ["sotw", "delta"];
const MESSAGES = { sotw: RESPONSE, delta: "envoy.service.discovery.v3.DeltaDiscoveryResponse" } as const;

describe.each(PROTOCOLS)("a session of signed pushes, %s", (protocol) => {
  test("hands on the exact bytes of the control plane, and the outer nonce and version after them", async () => {
    const stage = await Stage.open({ protocol });
    const response = responseOf(CLUSTERS, new Uint8Array(), protocol);
    const outer = await stage.session.push(CLUSTERS, response, { nonce: "n-7", version: "v-9" });
    const verdict = stage.receiver.take(outer);
    expect(verdict).toMatchObject({ kind: "response", typeUrl: CLUSTERS, nonce: "n-7", version: "v-9", seq: "1" });
    const { inner, raw } = verdict as Extract<typeof verdict, { kind: "response" }>;
    expect(Buffer.compare(inner, response)).toBe(0);
    expect(Buffer.compare(raw.subarray(0, response.length), response)).toBe(0);
    expect(namesIn(raw, protocol)).toEqual({ typeUrl: CLUSTERS, nonce: "n-7", version: "v-9" });
  });

  test("is an ordinary response with one resource, for whatever carries it", async () => {
    const stage = await Stage.open({ protocol });
    const outer = await stage.session.push(CLUSTERS, responseOf(CLUSTERS));
    expect(namesIn(outer, protocol)).toEqual({ typeUrl: CLUSTERS, nonce: "inner", version: "v0" });
    const [envelope, ...others] = envelopesIn(outer, protocol);
    expect(others).toEqual([]);
    const { claims } = inspectEnvelope(envelope!);
    expect(claims).toMatchObject({ use: "push", rt: MESSAGES[protocol], name: NODE, sid: stage.sid, seq: "1" });
  });

  test("counts pushes and heartbeats of all types in one sequence", async () => {
    const stage = await Stage.open({ protocol });
    const outers = [
      await stage.session.heartbeat(),
      await stage.session.push(CLUSTERS, responseOf(CLUSTERS)),
      await stage.session.push(LISTENERS, responseOf(LISTENERS)),
      await stage.session.push(CLUSTERS, responseOf(CLUSTERS)),
      await stage.session.heartbeat(),
    ];
    const verdicts = outers.map((outer) => stage.receiver.take(outer));
    expect(verdicts.map((verdict) => verdict.kind)).toEqual(
      ["heartbeat", "response", "response", "response", "heartbeat"], // prettier-ignore
    );
    expect(verdicts.map((verdict) => "seq" in verdict && verdict.seq)).toEqual(["1", "2", "3", "4", "5"]);
    const [heartbeat] = envelopesIn(outers[4]!, protocol);
    expect(namesIn(outers[4]!, protocol).typeUrl).toBe(WEBPUSH_MESSAGE);
    expect(inspectEnvelope(heartbeat!).payload).toBe(
      `{"kind":"Heartbeat","types":[{"rt":"${CLUSTERS}","seq":"4"},{"rt":"${LISTENERS}","seq":"3"}]}`,
    );
  });

  test("a sealed push of more than 1 MiB is read by its recipient, and by nobody else", async () => {
    const [reader, stranger] = [newRecipient(), newRecipient()];
    const recipient = { p256dh: reader.key.publicKey, auth: reader.auth };
    const response = responseOf(CLUSTERS, randomBytes(3_000_000));
    const stage = await Stage.open({ protocol, session: { recipient }, receiver: { recipient: reader } });
    const outer = await stage.session.push(CLUSTERS, response);
    expect(Buffer.from(outer).includes(Buffer.from(response.subarray(500_000, 500_032)))).toBe(false);
    const verdict = stage.receiver.take(outer);
    expect(verdict.kind === "response" && Buffer.compare(verdict.inner, response)).toBe(0);
    const other = await Stage.open({ protocol, session: { recipient }, receiver: { recipient: stranger } });
    expect(codeOf(await other.push(CLUSTERS, response))).toBe("RECIPIENT");
    const keyless = await Stage.open({ protocol, session: { recipient } });
    expect(codeOf(await keyless.push(CLUSTERS, response))).toBe("RECIPIENT");
  });

  test("a heartbeat of a sealed session is read too", async () => {
    const reader = newRecipient();
    const recipient = { p256dh: reader.key.publicKey, auth: reader.auth };
    const stage = await Stage.open({ protocol, session: { recipient }, receiver: { recipient: reader } });
    expect(stage.receiver.take(await stage.session.heartbeat())).toEqual({ kind: "heartbeat", seq: "1" });
  });
});

describe("the wrapping side", () => {
  test("answers calls in their order, however long a signature takes", async () => {
    const mesh = await newMesh();
    const delaysMs = [20, 0, 5];
    const signer = {
      publicKey: mesh.push.publicKey,
      sign: async (message: Uint8Array): Promise<Uint8Array> => {
        await new Promise((resolve) => setTimeout(resolve, delaysMs.shift() ?? 0));
        return mesh.push.sign(message);
      },
    };
    const stage = await Stage.open({ mesh, session: { signer } });
    const sent: Uint8Array[] = [];
    const send = (outer: Uint8Array): void => void sent.push(outer);
    await Promise.all([
      stage.session.push(CLUSTERS, responseOf(CLUSTERS)).then(send),
      stage.session.heartbeat().then(send),
      stage.session.push(LISTENERS, responseOf(LISTENERS)).then(send),
    ]);
    const kinds = sent.map((outer) => stage.receiver.take(outer).kind);
    expect(kinds).toEqual(["response", "heartbeat", "response"]);
  });

  test("is of no use after a signature has failed", async () => {
    const mesh = await newMesh();
    let broken = true;
    const sign = (message: Uint8Array): Uint8Array => (broken ? new Uint8Array(3) : mesh.push.sign(message));
    const stage = await Stage.open({ mesh, session: { signer: { publicKey: mesh.push.publicKey, sign } } });
    await expect(stage.session.heartbeat()).rejects.toMatchObject({ code: "SIGNER" });
    broken = false;
    await expect(stage.session.push(CLUSTERS, responseOf(CLUSTERS))).rejects.toMatchObject({ code: "SIGNER" });
  });

  test.each([
    ["of another type than it says", CLUSTERS, responseOf(LISTENERS)],
    ["of wpgate's own type", WEBPUSH_MESSAGE, responseOf(WEBPUSH_MESSAGE)],
    ["of the type of root chains", "wpgate/Roots", responseOf("wpgate/Roots")],
  ])("does not sign a response %s", async (_, typeUrl, response) => {
    const stage = await Stage.open();
    const pushed = stage.session.push(typeUrl, response);
    await expect(pushed).rejects.toMatchObject({ name: "UpstreamError", code: "PROTOCOL" });
  });

  test("does not sign bytes that are no response", async () => {
    const stage = await Stage.open();
    await expect(stage.session.push(CLUSTERS, Uint8Array.of(0x12, 0x7f))).rejects.toMatchObject({ code: "PROTOBUF" });
  });

  test("keeps the limits", async () => {
    const long = await Stage.open();
    const response = responseOf(CLUSTERS, new Uint8Array(PUSH_DATA_MAX_BYTES));
    await expect(long.session.push(CLUSTERS, response)).rejects.toBeInstanceOf(LimitError);
    const wide = await Stage.open();
    for (let i = 0; i < PUSHED_TYPES_MAX_COUNT; i++) await wide.session.push(`t/${i}`, responseOf(`t/${i}`));
    await expect(wide.session.push("t/one-more", responseOf("t/one-more"))).rejects.toBeInstanceOf(LimitError);
  });

  test("does not begin with a session nonce that is none", async () => {
    for (const sid of ["", "AAAA", `${"A".repeat(21)}B`, "é"]) {
      await expect(Stage.unopened({ session: { sid } })).rejects.toBeInstanceOf(UpstreamError);
    }
  });

  test("does not begin under a root that does not let its key push alone", async () => {
    const stranger = Stage.unopened({ session: { signer: SigningKey.generate() } });
    await expect(stranger).rejects.toThrow(/root 1 of istio-system does not name this key for push/);
    const mesh = await newMesh();
    const asCfg = Stage.unopened({ mesh, session: { signer: mesh.owner.keys.cfg } });
    await expect(asCfg).rejects.toBeInstanceOf(ConfigError);
    const other = SigningKey.generate();
    const keys = [...mesh.owner.root.keys, { publicKey: other.publicKey, roles: ["push"] as const }];
    const root = { ...mesh.owner.root, keys, thresholds: { root: 1, cfg: 1, fresh: 1, push: 2 } };
    await expect(Stage.unopened({ mesh, session: { root } })).rejects.toThrow(/more than one push signature/);
  });
});

function newRecipient(): { readonly key: ExchangeKey; readonly auth: Uint8Array } {
  return { key: ExchangeKey.generate(), auth: randomBytes(16) };
}

/** As any other implementation of ADS reads them. */
function namesIn(raw: Uint8Array, protocol: Protocol): { typeUrl: string; nonce: string; version: string } {
  if (protocol === "sotw") {
    const { typeUrl, nonce, versionInfo } = fromBinary(DiscoveryResponseSchema, raw);
    return { typeUrl, nonce, version: versionInfo };
  }
  const { typeUrl, nonce, systemVersionInfo } = fromBinary(DeltaDiscoveryResponseSchema, raw);
  return { typeUrl, nonce, version: systemVersionInfo };
}

function envelopesIn(outer: Uint8Array, protocol: Protocol): readonly Uint8Array[] {
  const anys =
    protocol === "sotw"
      ? fromBinary(DiscoveryResponseSchema, outer).resources
      : fromBinary(DeltaDiscoveryResponseSchema, outer).resources.map(({ resource }) => resource!);
  expect(anys.map(({ typeUrl }) => typeUrl)).toEqual(anys.map(() => WEBPUSH_MESSAGE));
  return anys.map(({ value }) => value);
}
