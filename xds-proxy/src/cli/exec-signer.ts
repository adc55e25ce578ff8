/**
 * A signer whose key is elsewhere (HSM, KMS, smart card): a program gets the bytes to sign on stdin and writes the ECDSA
 * signature over their SHA-256 to stdout: 64 bytes r and s, their base64url, or DER as OpenSSL and the cloud KMSs do.
 * What it answers is verified with the public key before it is used.
 */
import { spawn } from "node:child_process";
import { tryDecodeBase64Url } from "../bytes/base64url.ts";
import { importPublicKey } from "../crypto/ecdsa-p256.ts";
import { SIGNATURE_BYTES } from "../crypto/p256.ts";
import { UpstreamError } from "../errors.ts";

const TIMEOUT_MS = 120_000;
const OUTPUT_MAX_BYTES = 4096;
const SCALAR_BYTES = 32;

export interface ExecSignerOptions {
  /** A shell command. */
  readonly command: string;
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export class ExecSigner {
  readonly publicKey: Uint8Array;
  readonly #options: ExecSignerOptions;

  constructor(options: ExecSignerOptions) {
    this.publicKey = options.publicKey;
    this.#options = options;
  }

  /** @returns 64 bytes. @throws UpstreamError SIGNER */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    const output = await run(this.#options, message);
    const signature = decodeSignature(output);
    if (signature === undefined)
      throw failed(this.#options, `wrote ${output.length} bytes that are no P-256 signature`);
    if (!importPublicKey(this.publicKey).verify(message, signature))
      throw failed(this.#options, "made a signature that its public key does not verify");
    return signature;
  }
}

/** Raw, base64url of raw, or DER; undefined for anything else. */
export function decodeSignature(output: Uint8Array): Uint8Array | undefined {
  if (output.length === SIGNATURE_BYTES) return output;
  // The text may begin like DER, with the digit 0x30; DER has no text in its third octet.
  const decoded = output[0] === 0x30 ? decodeDer(output) : undefined;
  if (decoded !== undefined) return decoded;
  const text = tryDecodeBase64Url(Buffer.from(output).toString("latin1").trim());
  return text?.length === SIGNATURE_BYTES ? text : undefined;
}

/** SEQUENCE of two INTEGERs, each of at most 33 bytes; all lengths fit into one byte. */
function decodeDer(der: Uint8Array): Uint8Array | undefined {
  if (der[1] !== der.length - 2) return undefined;
  const out = new Uint8Array(SIGNATURE_BYTES);
  let at = 2;
  for (const end of [SCALAR_BYTES, SIGNATURE_BYTES]) {
    const length = der[at + 1] ?? 0;
    const content = der.subarray(at + 2, at + 2 + length);
    const scalar = content[0] === 0 ? content.subarray(1) : content;
    if (der[at] !== 0x02 || length === 0 || content.length !== length || scalar.length > SCALAR_BYTES) return undefined;
    out.set(scalar, end - scalar.length);
    at += 2 + length;
  }
  return at === der.length ? out : undefined;
}

async function run(options: ExecSignerOptions, message: Uint8Array): Promise<Uint8Array> {
  const child = spawn("/bin/sh", ["-c", options.command], {
    cwd: options.cwd,
    env: options.environment,
    stdio: ["pipe", "pipe", "inherit"],
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= OUTPUT_MAX_BYTES) chunks.push(chunk);
  });
  // A program that does not read its input to the end is judged by what it answers.
  child.stdin.on("error", () => undefined);
  child.stdin.end(message);
  return await new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(failed(options, "cannot be run, or took too long", cause));
    });
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else reject(failed(options, `ended with ${code ?? "a signal"}`));
    });
  });
}

function failed({ command }: ExecSignerOptions, what: string, cause?: unknown): UpstreamError {
  return new UpstreamError("SIGNER", `the signing program ${JSON.stringify(command)} ${what}`, { cause });
}
