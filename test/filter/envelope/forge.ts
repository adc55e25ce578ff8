// Makes envelopes byte by byte, faults included, with node:crypto alone: neither implementation under test has a hand in it.
import {
  type KeyObject,
  createCipheriv,
  createECDH,
  createHash,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  sign,
} from "node:crypto";

export type Members = Record<string, unknown>;

export interface Key {
  readonly privateKey: KeyObject;
  /** 65 bytes. */
  readonly publicKey: Buffer;
}

export interface RecipientKeys {
  readonly privateKey: Buffer;
  readonly publicKey: Buffer;
  readonly auth: Buffer;
}

export interface StatementParts {
  readonly use: string;
  /** What travels, in clear. */
  readonly data: Uint8Array;
  /** Added to the claims, or with undefined taken from them. */
  readonly claims?: Members;
  /** Signs first, the others are cosigners. */
  readonly signers: readonly Key[];
  readonly contentEncoding?: number;
}

const HEADER = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9";

export const NS = "team-a";
export const MESH = "mesh";
export const TRUST_DOMAIN = "example.com";
export const NOW_SEC = 1_800_000_000;
export const CFG_TYPE = "security.istio.io/v1/AuthorizationPolicy";

export function newKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return { privateKey, publicKey: Buffer.from(publicKey.export({ type: "spki", format: "der" }).subarray(-65)) };
}

export function newRecipient(): RecipientKeys {
  const ecdh = createECDH("prime256v1");
  const publicKey = ecdh.generateKeys();
  const privateKey = Buffer.from(ecdh.getPrivateKey("hex").padStart(64, "0"), "hex");
  return { privateKey, publicKey, auth: randomBytes(16) };
}

export const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();
export const digestText = (data: Uint8Array): string => sha256(data).toString("base64url");
export const keyId = (publicKey: Uint8Array): string => sha256(publicKey).subarray(0, 16).toString("base64url");
export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A field of the Protobuf wire format: bytes, or a varint. */
export function field(number: number, value: Uint8Array | bigint): Buffer {
  const tag = varint(BigInt(number) * 8n + (typeof value === "bigint" ? 0n : 2n));
  return typeof value === "bigint"
    ? Buffer.concat([tag, varint(value)])
    : Buffer.concat([tag, varint(BigInt(value.length)), value]);
}

export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

export function signature(key: Key, claims: Uint8Array): Buffer {
  const input = `${HEADER}.${Buffer.from(claims).toString("base64url")}`;
  return sign("sha256", Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
}

export function cosigner(key: Key, claims: Uint8Array): Buffer {
  return field(16, Buffer.concat([field(4, key.publicKey.subarray(1)), field(33, signature(key, claims))]));
}

/** An envelope of these claims' bytes, whatever they are. */
export function envelope(parts: Omit<StatementParts, "use" | "claims"> & { readonly claims: Uint8Array }): string {
  const [sender, ...cosigners] = parts.signers;
  if (!sender) throw new Error("a statement has a sender");
  const token = [
    field(4, sender.publicKey.subarray(1)),
    field(7, parts.claims),
    field(33, signature(sender, parts.claims)),
  ];
  return Buffer.concat([
    field(3, parts.data),
    field(4, Buffer.concat(token)),
    ...(parts.contentEncoding === undefined ? [] : [field(7, BigInt(parts.contentEncoding))]),
    ...cosigners.map((key) => cosigner(key, parts.claims)),
  ]).toString("base64url");
}

export function claimsOf({ use, data, claims }: Pick<StatementParts, "use" | "data" | "claims">): Members {
  return {
    aud: `https://${NS}.${MESH}.${TRUST_DOMAIN}`,
    exp: NOW_SEC + 3600,
    iat: NOW_SEC - 60,
    sub: "mailto:owner@example.com",
    dom: "wpgate/1",
    use,
    ns: NS,
    ep: 1,
    cd: digestText(data),
    len: data.length,
    ...claims,
  };
}

export function statement(parts: StatementParts): string {
  return envelope({ ...parts, claims: json(claimsOf(parts)) });
}

export interface SealOptions {
  readonly rs?: number;
  readonly padding?: number;
  /** Whether the delimiter follows the text; it does by default. */
  readonly delimiter?: boolean;
}

/** An `aes128gcm` body of one record (RFC 8291). */
export function seal(recipient: RecipientKeys, plaintext: Uint8Array, options: SealOptions = {}): Buffer {
  const ephemeral = createECDH("prime256v1");
  const keyid = ephemeral.generateKeys();
  const salt = randomBytes(16);
  const hkdf = (saltOf: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", ikm, saltOf, info, length));
  const secret = ephemeral.computeSecret(recipient.publicKey);
  const ikm = hkdf(
    recipient.auth,
    secret,
    Buffer.concat([Buffer.from("WebPush: info\0"), recipient.publicKey, keyid]),
    32,
  );
  const cek = hkdf(salt, ikm, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const cipher = createCipheriv("aes-128-gcm", cek, hkdf(salt, ikm, Buffer.from("Content-Encoding: nonce\0"), 12));
  const delimiter = options.delimiter === false ? Buffer.alloc(0) : Buffer.of(2);
  const text = Buffer.concat([plaintext, delimiter, Buffer.alloc(options.padding ?? 0)]);
  const record = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const rs = Buffer.alloc(4);
  rs.writeUInt32BE(options.rs ?? record.length + 1);
  return Buffer.concat([salt, rs, Buffer.of(65), keyid, record]);
}
