/**
 * Statements with any one thing wrong. Everything that `seal.ts` decides can be replaced here: claims, their text, the
 * encryption, signatures, and each field of the protobuf.
 */
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { bytesField, varintField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { seal as sealAesGcm } from "../../xds-proxy/src/crypto/aes-gcm.ts";
import type { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { hkdfExpand, hkdfExtract } from "../../xds-proxy/src/crypto/hkdf.ts";
import { digestOf, keyIdOf } from "../../xds-proxy/src/crypto/sha256.ts";
import { signingInputOf } from "../../xds-proxy/src/crypto/jws.ts";
import { fixedBytes, fixedSignature, senderKey, signingKey } from "./keys.ts";
import type { Reader } from "./keys.ts";

export const MESH = "mesh-1";
export const TRUST_DOMAIN = "cluster.local";
export const NS = "team-a";
/** The clock of every case that does not say another. */
export const NOW_SEC = 1_800_000_000;

export type ClaimValues = Readonly<Record<string, unknown>>;

export interface Seal {
  readonly for: Reader;
  /** Members of the preamble; undefined leaves one out. */
  readonly preamble?: ClaimValues;
  /** The whole text that is encrypted. */
  readonly text?: (text: Uint8Array) => Uint8Array;
  /** The plaintext of the record: by default the text and the delimiter. */
  readonly record?: (text: Uint8Array) => Uint8Array;
  /** The body that travels. */
  readonly body?: (body: Uint8Array) => Uint8Array;
  readonly sender?: ExchangeKey;
}

export interface Forgery {
  readonly use: string;
  /** The payload, in clear. */
  readonly data: Uint8Array;
  /** Names of keys; the first is the sender. */
  readonly signers: readonly string[];
  /** Replaces claims; undefined leaves one out, an unknown one comes last. */
  readonly claims?: ClaimValues;
  readonly claimsText?: (text: string) => string | Uint8Array;
  readonly seal?: Seal;
  readonly contentEncoding?: number;
  /** `i` counts signers from the sender on. */
  readonly signature?: (signature: Uint8Array, i: number) => Uint8Array;
  /** What is sent as `data` instead of what the claims cover. */
  readonly sentData?: (data: Uint8Array) => Uint8Array;
  readonly vapid?: (fields: readonly Uint8Array[], i: number) => readonly Uint8Array[];
  /** The fields `data`, `sender`, `content_encoding` if it is not 0, and `cosigners`. */
  readonly message?: (fields: readonly Uint8Array[]) => readonly Uint8Array[];
}

/** The bytes of an envelope. */
export function forge(forgery: Forgery): Uint8Array {
  const { use, signers, seal, claims = {} } = forgery;
  const sealedClaims = seal ? { ce: "aes128gcm", rcp: keyIdOf(seal.for.p256dh) } : {};
  const plain = { ...commonClaims(use), ...USE_CLAIMS[use], ep: 1 };
  const data = seal ? sealData(forgery, seal, { ...plain, ...claims }) : forgery.data;
  const values = { ...plain, cd: digestOf(data), len: data.length, ...sealedClaims, ...claims };
  const json = JSON.stringify(values);
  const text = forgery.claimsText?.(json) ?? json;
  const claimsBytes = typeof text === "string" ? utf8(text) : text;
  const vapids = signers.map((name, i) => vapidOf(forgery, claimsBytes, { name, i }));
  const contentEncoding = forgery.contentEncoding ?? (seal ? 1 : 0);
  const fields = [
    bytesField(3, forgery.sentData?.(data) ?? data),
    ...vapids.slice(0, 1).map((vapid) => bytesField(4, vapid)),
    ...(contentEncoding === 0 ? [] : [varintField(7, contentEncoding)]),
    ...vapids.slice(1).map((vapid) => bytesField(16, vapid)),
  ];
  return concat(...(forgery.message?.(fields) ?? fields));
}

export function forgeText(forgery: Forgery): string {
  return encodeBase64Url(forge(forgery));
}

/** In the order of docs/envelope.md section 3. */
function commonClaims(use: string): ClaimValues {
  return {
    aud: `https://${NS}.${MESH}.${TRUST_DOMAIN}`,
    exp: NOW_SEC + (use === "fresh" || use === "push" || use === "msg" ? 3_600 : 30 * 86_400),
    iat: NOW_SEC - 600,
    sub: "mailto:owner@team-a.example",
    dom: "wpgate/1",
    use,
    ns: NS,
  };
}

export const POLICY_TYPE = "security.istio.io/v1/AuthorizationPolicy";
export const RESPONSE_TYPE = "type.googleapis.com/envoy.service.discovery.v3.DiscoveryResponse";

const USE_CLAIMS: Readonly<Record<string, ClaimValues>> = {
  cfg: { rt: POLICY_TYPE, name: `${NS}/allow`, ver: "1" },
  set: { ver: "1" },
  fresh: { ver: "1" },
  push: {
    rt: RESPONSE_TYPE,
    name: "sidecar~10.0.0.1~a.team-a~local",
    sid: encodeBase64Url(new Uint8Array(16)),
    seq: "1",
  },
  msg: { rt: "text/plain", name: "topic", ver: "1" },
};

function vapidOf(forgery: Forgery, claims: Uint8Array, { name, i }: { name: string; i: number }): Uint8Array {
  const right = fixedSignature(name, signingInputOf(claims));
  const signature = forgery.signature?.(right, i) ?? right;
  const fields = [
    bytesField(4, signingKey(name).publicKey.subarray(1)),
    ...(i === 0 ? [bytesField(7, claims)] : []),
    bytesField(33, signature),
  ];
  return concat(...(forgery.vapid?.(fields, i) ?? fields));
}

/** RFC 8291, by hand, because cases need what `sealMessage` never does. */
function sealData({ data, signers }: Forgery, seal: Seal, claims: ClaimValues): Uint8Array {
  const { aud, rt, name, ver, seq } = claims;
  const kid = keyIdOf(signingKey(signers[0] ?? "").publicKey);
  const preamble = JSON.stringify({ aud, rt, name, ver: ver ?? seq, kid, ...seal.preamble });
  const text = concat(utf8(`${preamble}\n`), data);
  const salt = fixedBytes(`salt ${preamble}`).subarray(0, 16);
  const sender = seal.sender ?? senderKey(preamble);
  const info = concat(utf8("WebPush: info\0"), seal.for.p256dh, sender.publicKey);
  const ikm = hkdfExpand(hkdfExtract(seal.for.auth, sender.sharedSecret(seal.for.p256dh)), info, 32);
  const prk = hkdfExtract(salt, ikm);
  const key = hkdfExpand(prk, utf8("Content-Encoding: aes128gcm\0"), 16);
  const nonce = hkdfExpand(prk, utf8("Content-Encoding: nonce\0"), 12);
  const content = seal.text?.(text) ?? text;
  const plaintext = seal.record?.(content) ?? concat(content, Uint8Array.of(2));
  const record = concat(...sealAesGcm(key, nonce, plaintext));
  const recordSize = Buffer.alloc(4);
  recordSize.writeUInt32BE(Math.max(4096, record.length + 1));
  const body = concat(salt, recordSize, Uint8Array.of(sender.publicKey.length), sender.publicKey, record);
  return seal.body?.(body) ?? body;
}
