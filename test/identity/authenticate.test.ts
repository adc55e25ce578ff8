import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authenticate, type Requirement } from "../../xds-proxy/src/identity/authenticate.ts";
import { TokenVerifier } from "../../xds-proxy/src/identity/jwt.ts";
import type { NodeIdentity } from "../../xds-proxy/src/identity/types.ts";
import { AUDIENCE, ISSUER, jwksOf, newTokenKey, signToken, tokenClaims, type TokenKey } from "./tokens.ts";

const NODE: NodeIdentity = {
  id: "sidecar~10.0.0.1~app.team-a~team-a.svc.cluster.local",
  ...{ type: "sidecar", namespace: "team-a", serviceAccount: "app", labels: {} },
};
const WORKLOAD = { namespace: "team-a", serviceAccount: "app" };
const GOOD = { ok: true, workload: WORKLOAD };
const spiffe = (path = "ns/team-a/sa/app", trustDomain = "cluster.local"): readonly string[] => [
  `spiffe://${trustDomain}/${path}`,
];
const MTLS: Requirement = { trustDomains: ["cluster.local", "old.example"], mtls: true };

const folder = mkdtempSync(join(tmpdir(), "wpgate-identity-"));
let key: TokenKey;
let tokens: TokenVerifier;

beforeAll(async () => {
  key = await newTokenKey();
  const jwks = join(folder, "jwks.json");
  writeFileSync(jwks, jwksOf(key));
  tokens = new TokenVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks, nowMs: () => Date.now() });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("a node with a certificate", () => {
  test.each([
    ["of its own identity", spiffe()],
    ["of an alias of the trust domain", spiffe("ns/team-a/sa/app", "old.example")],
  ])("%s is let in", async (_, spiffeIds) => {
    expect(await authenticate({ spiffeIds }, NODE, MTLS)).toEqual(GOOD);
  });

  test.each<readonly [what: string, spiffeIds: readonly string[], code: string, reason: string]>([
    ["of another namespace", spiffe("ns/team-b/sa/app"), "NAMESPACE",
      "a node of namespace team-a, by its certificate of namespace team-b"], // prettier-ignore
    ["of another service account", spiffe("ns/team-a/sa/other"), "SERVICE_ACCOUNT",
      "a node of service account team-a/app, by its certificate of team-a/other"], // prettier-ignore
    ["of another trust domain", spiffe("ns/team-a/sa/app", "evil.example"), "TRUST_DOMAIN",
      "a certificate of trust domain evil.example where cluster.local or old.example is pinned"], // prettier-ignore
    ["of nobody in Istio's form", ["spiffe://cluster.local/vm/7"], "CREDENTIALS",
      "the certificate's URI name is no workload's SPIFFE id"], // prettier-ignore
    ["of two names", [...spiffe("ns/team-b/sa/app"), ...spiffe()], "CREDENTIALS",
      "the certificate has more than one URI name"], // prettier-ignore
    ["that is missing", [], "CREDENTIALS", "no client certificate came with the stream"],
  ])("%s is refused", async (_, spiffeIds, code, reason) => {
    expect(await authenticate({ spiffeIds }, NODE, MTLS)).toEqual({ ok: false, code, reason });
  });

  test("and without a service account of its own has that of its certificate", async () => {
    const node = { ...NODE, serviceAccount: undefined };
    expect(await authenticate({ spiffeIds: spiffe() }, node, MTLS)).toEqual(GOOD);
  });
});

describe("a node with a token", () => {
  const requirement = (): Requirement => ({ trustDomains: ["cluster.local"], mtls: false, tokens });

  test("of its own identity is let in", async () => {
    expect(await authenticate({ spiffeIds: [], bearer: await signToken(key) }, NODE, requirement())).toEqual(GOOD);
  });

  test("of another identity is refused with both names", async () => {
    const bearer = await signToken(key, tokenClaims("team-b", "app"));
    expect(await authenticate({ spiffeIds: [], bearer }, NODE, requirement())).toEqual({
      ...{ ok: false, code: "NAMESPACE" },
      reason: "a node of namespace team-a, by its token of namespace team-b",
    });
    const other = await signToken(key, tokenClaims("team-a", "other"));
    expect(await authenticate({ spiffeIds: [], bearer: other }, NODE, requirement())).toMatchObject({
      ...{ ok: false, code: "SERVICE_ACCOUNT" },
    });
  });

  test("that is not good is refused, and so is none", async () => {
    const bad = await authenticate({ spiffeIds: [], bearer: "a.b.c" }, NODE, requirement());
    expect(bad).toMatchObject({ ok: false, code: "CREDENTIALS" });
    expect(await authenticate({ spiffeIds: [] }, NODE, requirement())).toEqual({
      ...{ ok: false, code: "CREDENTIALS", reason: "no token came with the stream" },
    });
  });

  test("does not get in with a certificate that nobody asked for", async () => {
    const verdict = await authenticate({ spiffeIds: spiffe() }, NODE, requirement());
    expect(verdict).toMatchObject({ ok: false, code: "CREDENTIALS" });
  });
});

describe("a node where certificates and tokens count", () => {
  const requirement = (): Requirement => ({ ...MTLS, tokens });

  test("needs one of them", async () => {
    expect(await authenticate({ spiffeIds: spiffe() }, NODE, requirement())).toEqual(GOOD);
    expect(await authenticate({ spiffeIds: [], bearer: await signToken(key) }, NODE, requirement())).toEqual(GOOD);
    expect(await authenticate({ spiffeIds: [] }, NODE, requirement())).toMatchObject({
      reason: "no client certificate or token came with the stream",
    });
  });

  test("has to agree with each that is there", async () => {
    const good = await signToken(key);
    const other = await signToken(key, tokenClaims("team-b"));
    const check = (spiffeIds: readonly string[], bearer: string): ReturnType<typeof authenticate> =>
      authenticate({ spiffeIds, bearer }, NODE, requirement());
    expect(await check(spiffe(), good)).toEqual(GOOD);
    expect(await check(spiffe(), other)).toMatchObject({ ok: false, code: "NAMESPACE" });
    expect(await check(spiffe("ns/team-b/sa/app"), good)).toMatchObject({ ok: false, code: "NAMESPACE" });
    expect(await check(spiffe(), "a.b.c")).toMatchObject({ ok: false, code: "CREDENTIALS" });
  });
});

describe("a node where nothing is required", () => {
  test("is believed as far as its socket is", async () => {
    const requirement = { trustDomains: [], mtls: false };
    expect(await authenticate({ spiffeIds: [] }, NODE, requirement)).toEqual({ ok: true, workload: undefined });
  });

  test("still has to be of the namespace that is served", async () => {
    const requirement = { trustDomains: [], mtls: false, namespace: "team-b" };
    expect(await authenticate({ spiffeIds: [] }, NODE, requirement)).toEqual({
      ...{ ok: false, code: "NAMESPACE" },
      reason: "a node of namespace team-a where only those of team-b are served",
    });
  });
});
