import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";

/** Issues the tokens that the listeners' JWT filter believes. */
export class TokenIssuer {
  readonly #key: KeyObject;
  /** The key set for Envoy. */
  readonly jwks: string;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    this.jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), alg: "ES256", kid: "test" }] });
  }

  issue(payload: Readonly<Record<string, unknown>>): string {
    const part = (value: unknown): string => encodeBase64Url(Buffer.from(JSON.stringify(value), "utf8"));
    const input = `${part({ alg: "ES256", kid: "test", typ: "JWT" })}.${part(payload)}`;
    const signature = sign("sha256", Buffer.from(input), { key: this.#key, dsaEncoding: "ieee-p1363" });
    return `${input}.${encodeBase64Url(signature)}`;
  }
}
