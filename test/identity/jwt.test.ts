import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../xds-proxy/src/errors.ts";
import { TokenVerifier } from "../../xds-proxy/src/identity/jwt.ts";
import { AUDIENCE, ISSUER, jwksOf, newTokenKey, signToken, tokenClaims, type TokenKey } from "./tokens.ts";

const GOOD = { ok: true, namespace: "team-a", serviceAccount: "app" };
const folder = mkdtempSync(join(tmpdir(), "wpgate-jwt-"));
const jwks = join(folder, "jwks.json");
let es256: TokenKey;
let rs256: TokenKey;
let es384: TokenKey;

beforeAll(async () => {
  [es256, rs256, es384] = [await newTokenKey(), await newTokenKey("RS256"), await newTokenKey("ES384")];
  writeFileSync(jwks, jwksOf(es256, rs256, es384));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function verifier(changes: Partial<ConstructorParameters<typeof TokenVerifier>[0]> = {}): TokenVerifier {
  return new TokenVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks, nowMs: () => Date.now(), ...changes });
}

describe("a service account's token", () => {
  test("names its namespace and service account", async () => {
    expect(await verifier().verify(await signToken(es256))).toEqual(GOOD);
    expect(await verifier().verify(await signToken(rs256))).toEqual(GOOD);
  });

  const nowSec = Math.floor(Date.now() / 1000);
  const kubernetes = tokenClaims()["kubernetes.io"] as object;
  test.each<readonly [what: string, changes: Readonly<Record<string, unknown>>, reason: RegExp]>([
    ["of another issuer", { iss: "https://evil.example" }, /claim iss/],
    ["for another audience", { aud: ["vault"] }, /claim aud/],
    ["that has expired", { exp: nowSec - 31 }, /expired/],
    ["that never expires", { exp: undefined }, /claim exp/],
    ["that does not count yet", { nbf: nowSec + 300 }, /claim nbf/],
    ["without a subject", { sub: undefined }, /claim sub/],
    ["of another subject", { sub: "system:serviceaccount:team-a:other" }, /one service account/],
    ["of a person", { sub: "admin", "kubernetes.io": undefined }, /one service account/],
    ["without Kubernetes' claim", { "kubernetes.io": undefined }, /one service account/],
    ["with a text for Kubernetes' claim", { "kubernetes.io": "team-a" }, /one service account/],
    [
      "of another namespace than its subject",
      { "kubernetes.io": { ...kubernetes, namespace: "team-b" } },
      /one service/,
    ],
    ["of a namespace that is no name", { "kubernetes.io": { ...kubernetes, namespace: "team-a\n" } }, /one service/],
    ["of a service account that is no name",
      { sub: "system:serviceaccount:team-a:a:b", "kubernetes.io": { namespace: "team-a", serviceaccount: { name: "a:b" } } },
      /one service/], // prettier-ignore
  ])("%s is refused", async (_, changes, reason) => {
    const verdict = await verifier().verify(await signToken(es256, { ...tokenClaims(), ...changes }));
    expect(verdict).toMatchObject({ ok: false, code: "CREDENTIALS", reason: expect.stringMatching(reason) as string });
  });

  test("is judged by the clock that is given", async () => {
    const token = await signToken(es256);
    const verdict = await verifier({ nowMs: () => Date.now() + 3_700_000 }).verify(token);
    expect(verdict).toMatchObject({ reason: "the token has expired" });
  });

  test("of an algorithm that is not allowed is refused, whatever keys there are", async () => {
    expect(await verifier().verify(await signToken(es384))).toMatchObject({ code: "CREDENTIALS" });
    const none = `${text({ alg: "none" })}.${text(tokenClaims())}.`;
    expect(await verifier().verify(none)).toMatchObject({ code: "CREDENTIALS" });
    const input = `${text({ alg: "HS256", kid: rs256.kid })}.${text(tokenClaims())}`;
    const mac = createHmac("sha256", JSON.stringify(rs256.jwk)).update(input).digest("base64url");
    expect(await verifier().verify(`${input}.${mac}`)).toMatchObject({ code: "CREDENTIALS" });
  });

  test("of an unknown key, or with another's key id, is refused", async () => {
    const stranger = await newTokenKey("ES256", "stranger");
    expect(await verifier().verify(await signToken(stranger))).toMatchObject({ reason: /unknown key/ });
    const impostor = { ...stranger, kid: es256.kid };
    expect(await verifier().verify(await signToken(impostor))).toMatchObject({ reason: /does not verify/ });
  });

  test("that carries its own key is refused", async () => {
    const stranger = await newTokenKey("ES256", "stranger");
    const token = await signToken(stranger);
    const [, claims, signature] = token.split(".");
    const header = text({ alg: "ES256", kid: es256.kid, jwk: stranger.jwk });
    expect(await verifier().verify(`${header}.${claims}.${signature}`)).toMatchObject({ ok: false });
  });

  test("with anything changed is refused, and never an exception", async () => {
    const token = await signToken(es256);
    const tokens = verifier();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom("A", "_", ".", " ", "", "é"), async (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        fc.pre(decoded(changed) !== decoded(token));
        expect(await tokens.verify(changed)).toMatchObject({ ok: false, code: "CREDENTIALS" });
      }),
      { numRuns: 200 },
    );
    for (const odd of ["", ".", "..", "a.b.c", "x".repeat(20_000)]) {
      expect(await tokens.verify(odd)).toMatchObject({ ok: false, code: "CREDENTIALS" });
    }
  });
});

describe("the issuer's keys", () => {
  test("are read again when their file has changed", async () => {
    const path = join(folder, "changing.json");
    const [first, second] = [await newTokenKey("ES256", "first"), await newTokenKey("ES256", "second")];
    const tokens = verifier({ jwks: path });
    expect(await tokens.verify(await signToken(first))).toMatchObject({ code: "KEYS" });
    writeFileSync(path, jwksOf(first));
    expect(await tokens.verify(await signToken(first))).toEqual(GOOD);
    expect(await tokens.verify(await signToken(second))).toMatchObject({ code: "CREDENTIALS" });
    writeFileSync(`${path}.new`, jwksOf(second));
    renameSync(`${path}.new`, path);
    expect(await tokens.verify(await signToken(second))).toEqual(GOOD);
    expect(await tokens.verify(await signToken(first))).toMatchObject({ code: "CREDENTIALS" });
  });

  test.each(["not json", "{}", "[]", '{"keys":1}', "x".repeat(2_000_000)])(
    "cannot be had from %.20j",
    async (content) => {
      const path = join(folder, "odd.json");
      writeFileSync(path, content);
      const verdict = await verifier({ jwks: path }).verify(await signToken(es256));
      expect(verdict).toEqual({ ok: false, code: "KEYS", reason: "the issuer's keys cannot be had" });
    },
  );

  test("are fetched from a URL", async () => {
    let status = 200;
    const server = createServer((_, answer) => answer.writeHead(status).end(jwksOf(es256)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openid/v1/jwks`;
    expect(await verifier({ jwks: url }).verify(await signToken(es256))).toEqual(GOOD);
    status = 503;
    expect(await verifier({ jwks: url }).verify(await signToken(es256))).toMatchObject({ code: "KEYS" });
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    expect(await verifier({ jwks: url }).verify(await signToken(es256))).toMatchObject({ code: "KEYS" });
  });

  test("are not fetched over a line that anybody can change", () => {
    expect(() => verifier({ jwks: "http://issuer.example/jwks" })).toThrow(ConfigError);
    expect(() => verifier({ jwks: "https://" })).toThrow(ConfigError);
    expect(() => verifier({ jwks: "https://issuer.example/jwks" })).not.toThrow();
  });
});

function text(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** What base64url decoders that skip and round make of a token. */
function decoded(token: string): string {
  return token
    .split(".")
    .map((part) => Buffer.from(part, "base64url").toString("latin1"))
    .join(".");
}
