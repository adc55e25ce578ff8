import { createECDH, randomBytes } from "node:crypto";
import type { ECDH } from "node:crypto";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import webPush from "web-push";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { openMessage, sealMessage } from "../../xds-proxy/src/crypto/message-encryption.ts";
import { readClaims } from "../../xds-proxy/src/envelope/claims.ts";
import { decodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import { signStatement } from "../../xds-proxy/src/envelope/seal.ts";
import { formatAuthorization, parseAuthorization, verifyToken } from "../../xds-proxy/src/webpush/vapid.ts";

interface Ece {
  encrypt(text: Buffer, params: Readonly<Record<string, unknown>>): Buffer;
  decrypt(body: Buffer, params: Readonly<Record<string, unknown>>): Buffer;
}
interface Jws {
  verify(token: string, algorithm: string, key: string): boolean;
}
/** What web-push itself is made of. */
const require = createRequire(createRequire(import.meta.url).resolve("web-push"));
const ece = require("http_ece") as Ece;
const jws = require("jws") as Jws;

const key = ExchangeKey.generate();
const auth = randomBytes(16);
const recipient = { p256dh: key.publicKey, auth };
const SIZES = [0, 1, 100, 3993, 3994, 3995, 4077, 4078, 4079, 20_000, 1_000_000];

function ecdhOf(raw: Uint8Array): ECDH {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(raw);
  return ecdh;
}

function ephemeral(): ECDH {
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  return ecdh;
}

describe("message encryption", () => {
  test.each(SIZES)("what is sealed here opens there: %i bytes", (size) => {
    const text = randomBytes(size);
    const body = sealMessage({ recipient, text: [text] });
    const privateKey = ecdhOf(key.exportRaw());
    const opened = ece.decrypt(Buffer.from(body), {
      version: "aes128gcm",
      privateKey,
      authSecret: encodeBase64Url(auth),
    });
    expect(opened.equals(text)).toBe(true);
  });

  test.each(SIZES.filter((size) => size < 4078))(
    "what web-push encrypts in one record opens here: %i bytes",
    (size) => {
      const text = randomBytes(size);
      const { cipherText } = webPush.encrypt(encodeBase64Url(key.publicKey), encodeBase64Url(auth), text, "aes128gcm");
      expect(Buffer.from(openMessage({ key, auth }, cipherText)!.text).equals(text)).toBe(true);
    },
  );

  test("what web-push splits into records is outside the profile", () => {
    const { cipherText } = webPush.encrypt(
      encodeBase64Url(key.publicKey),
      encodeBase64Url(auth),
      randomBytes(20_000),
      "aes128gcm",
    );
    expect(openMessage({ key, auth }, cipherText)).toBeUndefined();
  });

  test("padding that another sender adds is taken off", () => {
    const params = {
      version: "aes128gcm",
      dh: encodeBase64Url(key.publicKey),
      authSecret: encodeBase64Url(auth),
      pad: 50,
    };
    const text = randomBytes(100);
    expect(
      Buffer.from(openMessage({ key, auth }, ece.encrypt(text, { ...params, privateKey: ephemeral() }))!.text),
    ).toEqual(text);
  });
});

describe("VAPID", () => {
  test("what web-push signs verifies here", () => {
    const { publicKey, privateKey } = webPush.generateVAPIDKeys();
    const origin = "https://push.example.net";
    const { Authorization } = webPush.getVapidHeaders(
      origin,
      "mailto:a@example.com",
      publicKey,
      privateKey,
      "aes128gcm",
    );
    const token = parseAuthorization(Authorization);
    expect(verifyToken(token)).toBe(true);
    expect(JSON.parse(Buffer.from(token.claims).toString())).toMatchObject({
      aud: origin,
      sub: "mailto:a@example.com",
    });
  });

  test("an envelope is a VAPID token and a body that a plain push receiver takes", async () => {
    const signer = SigningKey.generate();
    const iatSec = Math.floor(Date.now() / 1000);
    const place = { ns: "team-a", mesh: "mesh-1", trustDomain: "cluster.local" };
    const times = { iatSec, expSec: iatSec + 3600, ep: 1 };
    const object = { use: "cfg", rt: "t", name: "team-a/a", ver: "1", data: Buffer.from("{}") } as const;
    const sub = "mailto:a@example.com";
    const bytes = await signStatement({ ...object, ...place, ...times, sub, signers: [signer], recipient });
    const { sender, data } = decodeWebpushMessage(bytes);
    const publicKey = concat(Uint8Array.of(4), sender.k);
    const field = formatAuthorization({ claims: sender.data, signature: sender.tSignature, publicKey });
    const token = /t=([^,]+)/.exec(field)?.[1] ?? "";
    expect(jws.verify(token, "ES256", pemOf(publicKey))).toBe(true);
    expect(readClaims(sender.data)).toMatchObject({ aud: "https://team-a.mesh-1.cluster.local", sub });
    const privateKey = ecdhOf(key.exportRaw());
    const text = ece.decrypt(Buffer.from(data), {
      version: "aes128gcm",
      privateKey,
      authSecret: encodeBase64Url(auth),
    });
    expect(text.toString().endsWith("\n{}")).toBe(true);
  });
});

function pemOf(publicKey: Uint8Array): string {
  const prefix = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
  const body = Buffer.concat([prefix, publicKey]).toString("base64");
  return `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
}
