/** Throw-away certificates: an authority, and what it issues to servers and clients. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** What a certificate calls its holder. */
export interface CertificateNames {
  readonly uri?: string;
  readonly dns?: string;
  readonly ip?: string;
  readonly commonName?: string;
}

export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

export class Authority {
  readonly certificate: string;
  readonly #own: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(own: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.certificate = own.toString("pem");
    this.#own = own;
    this.#keys = keys;
  }

  static async create(commonName = "test authority"): Promise<Authority> {
    const keys = await newKeys();
    const own = await X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: `CN=${commonName}`,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return new Authority(own, keys);
  }

  async issue({ uri, dns, ip, commonName }: CertificateNames): Promise<KeyAndCertificate> {
    const keys = await newKeys();
    const names = [
      ...(uri === undefined ? [] : [{ type: "url" as const, value: uri }]),
      ...(dns === undefined ? [] : [{ type: "dns" as const, value: dns }]),
      ...(ip === undefined ? [] : [{ type: "ip" as const, value: ip }]),
    ];
    const certificate = await X509CertificateGenerator.create({
      ...validity(),
      subject: commonName === undefined ? "" : `CN=${commonName}`,
      issuer: this.#own.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)],
    });
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { key: PemConverter.encode(pkcs8, "PRIVATE KEY"), certificate: certificate.toString("pem") };
  }
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 30 * DAY_MS) };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}
