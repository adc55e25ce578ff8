/** Both ends of a stream of signed pushes, with the root namespace's keys and a clock that the tests turn. */
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { signStatement, type StatementOptions } from "../../xds-proxy/src/envelope/seal.ts";
import { parseRoot, type RootDocument } from "../../xds-proxy/src/envelope/documents.ts";
import { decodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import type { Pin } from "../../xds-proxy/src/envelope/types.ts";
import { writeOuterResponse } from "../../xds-proxy/src/push/outer-response.ts";
import { PushReceiver, type PushReceiverOptions } from "../../xds-proxy/src/push/push-receiver.ts";
import { PushSession, type PushSessionOptions } from "../../xds-proxy/src/push/push-session.ts";
import { newSessionId } from "../../xds-proxy/src/push/session-id.ts";
import type { PushVerdict } from "../../xds-proxy/src/push/types.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { MESH, newKeys, nowSec, Owner, TRUST_DOMAIN } from "../scenarios/owner.ts";

export const NODE = "sidecar~10.0.0.1~app.team-a~team-a.svc.cluster.local";
export const ROOT_NAMESPACE = "istio-system";
export const CLUSTERS = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
export const LISTENERS = "type.googleapis.com/envoy.config.listener.v3.Listener";
export const RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse";
export const HEARTBEAT_SEC = 30;
export const TTL_SEC = 3_600;

/** The root namespace's owner, who names a push key. */
export interface Mesh {
  readonly owner: Owner;
  readonly push: SigningKey;
}

export function keysOf(owner: Pick<Owner, "keys">, push: SigningKey): Pick<RootDocument, "keys"> {
  const { root, cfg, fresh } = owner.keys;
  const holders = Object.entries({ root, cfg, fresh, push });
  return { keys: holders.map(([role, key]) => ({ publicKey: key.publicKey, roles: [role as "push"] })) };
}

export async function newMesh(root: Partial<RootDocument> = {}): Promise<Mesh> {
  const [keys, push] = [newKeys(), SigningKey.generate()];
  const owner = await Owner.create({ ns: ROOT_NAMESPACE, keys, root: { ...keysOf({ keys }, push), ...root } });
  return { owner, push };
}

/** One root later, with the same root keys. */
export async function rotated({ owner, push }: Mesh, root: Partial<RootDocument> = {}): Promise<Mesh> {
  return { owner: await owner.rotate({ keys: owner.keys, root: { ...keysOf(owner, push), ...root } }), push };
}

export function pinOf({ owner }: Mesh): Pin {
  return { mesh: MESH, trustDomain: TRUST_DOMAIN, roots: { [ROOT_NAMESPACE]: owner.rootDigest } };
}

/** Of the last root in force, as a wrapping proxy gives it to its sessions. */
export function pushRoots({ owner }: Mesh): Pick<PushSessionOptions, "root" | "chain"> {
  const last = Buffer.from(owner.roots.at(-1)!, "base64url");
  return { root: parseRoot(decodeWebpushMessage(last).data), chain: owner.roots };
}

export interface StageOptions {
  readonly protocol?: Protocol;
  readonly mesh?: Mesh;
  readonly session?: Partial<PushSessionOptions>;
  readonly receiver?: Partial<PushReceiverOptions>;
}

export class Stage {
  readonly protocol: Protocol;
  readonly mesh: Mesh;
  readonly sid: string = newSessionId();
  readonly session: PushSession;
  readonly receiver: PushReceiver;
  readonly clock: { nowMs: number; monotonicMs: number };

  private constructor(mesh: Mesh, { protocol = "sotw", session, receiver }: StageOptions) {
    this.protocol = protocol;
    this.mesh = mesh;
    this.clock = { nowMs: nowSec() * 1000, monotonicMs: 1_000_000 };
    const common = {
      ...{ protocol, node: NODE, sid: this.sid, heartbeatSec: HEARTBEAT_SEC },
      nowMs: () => this.clock.nowMs,
      monotonicMs: () => this.clock.monotonicMs,
    };
    const contact = "mailto:mesh@example.com";
    const signing = { ...pushRoots(mesh), signer: mesh.push, ttlSec: TTL_SEC, contact };
    this.session = new PushSession({ ...common, ...signing, ...session });
    this.receiver = new PushReceiver({ ...common, pin: pinOf(mesh), rootNamespace: ROOT_NAMESPACE, ...receiver });
  }

  /** With the roots delivered. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const stage = await Stage.unopened(options);
    const verdict = stage.receiver.take(await stage.session.announceRoots());
    if (verdict.kind !== "roots") throw new Error(JSON.stringify(verdict));
    return stage;
  }

  static async unopened(options: StageOptions = {}): Promise<Stage> {
    return new Stage(options.mesh ?? (await newMesh()), options);
  }

  /** Both clocks. */
  pass(ms: number): void {
    this.clock.nowMs += ms;
    this.clock.monotonicMs += ms;
  }

  /** What becomes of a response on its way through both ends. */
  async push(typeUrl: string, response: Uint8Array): Promise<PushVerdict> {
    return this.receiver.take(await this.session.push(typeUrl, response));
  }

  /** An envelope with anything different from what `PushSession` writes. */
  async forge(changes: Partial<StatementOptions> = {}): Promise<Uint8Array> {
    const { owner, push } = this.mesh;
    const { ns, mesh, trustDomain, ep } = owner.root;
    const iatSec = Math.floor(this.clock.nowMs / 1000);
    return await signStatement({
      ...{ use: "push", ns, mesh, trustDomain, ep, sub: "mailto:mesh@example.com", iatSec, expSec: iatSec + TTL_SEC },
      ...{ rt: RESPONSE, name: NODE, sid: this.sid, seq: "1", data: responseOf(CLUSTERS), signers: [push] },
      ...changes,
    });
  }

  outer(typeUrl: string, ...envelopes: readonly Uint8Array[]): Uint8Array {
    const content = { typeUrl, nonce: "outer", version: "v1", envelopes: envelopes.map((envelope) => [envelope]) };
    return writeOuterResponse(content, this.protocol);
  }
}

/** A response of the control plane with one resource. */
export function responseOf(
  typeUrl: string,
  content: Uint8Array = new Uint8Array(100),
  protocol: Protocol = "sotw",
): Uint8Array {
  const any = concat(stringField(1, typeUrl), bytesField(2, content));
  const resource = protocol === "sotw" ? any : concat(bytesField(2, any), stringField(3, "backend"));
  return concat(stringField(1, "v0"), bytesField(2, resource), stringField(4, typeUrl), stringField(5, "inner"));
}

export function codeOf(verdict: PushVerdict): string {
  return verdict.kind === "refused" ? verdict.code : verdict.kind;
}

export function textOf(envelope: Uint8Array): string {
  return encodeBase64Url(envelope);
}
