/** Tokens as the API server of Kubernetes writes them, and the keys to check them with. */
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from "jose";

export const ISSUER = "https://kubernetes.default.svc.cluster.local";
export const AUDIENCE = "istio-ca";

export interface TokenKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: object;
}

export async function newTokenKey(alg = "ES256", kid = `key-${alg}`): Promise<TokenKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export function jwksOf(...keys: readonly TokenKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}

/** The claims of a bound token. */
export function tokenClaims(namespace = "team-a", serviceAccount = "app"): JWTPayload {
  const nowSec = Math.floor(Date.now() / 1000);
  return {
    ...{ iss: ISSUER, aud: [AUDIENCE], sub: `system:serviceaccount:${namespace}:${serviceAccount}` },
    ...{ iat: nowSec, nbf: nowSec, exp: nowSec + 3_600, jti: "d1d2" },
    "kubernetes.io": {
      namespace,
      node: { name: "node-1", uid: "u1" },
      pod: { name: "app-7d4", uid: "u2" },
      serviceaccount: { name: serviceAccount, uid: "u3" },
    },
  };
}

export async function signToken(
  { alg, kid, privateKey }: TokenKey,
  claims: JWTPayload = tokenClaims(),
): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey);
}
