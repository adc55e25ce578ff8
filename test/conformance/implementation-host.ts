/** `verify_signature` inside a real Envoy: a small module made of the filter's own code (filter/assembly/host-probe.ts)
 *  puts the signatures before it while Envoy starts, and logs the verdicts. ECDSA only. */
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy } from "../../xds-proxy/src/demo/envoy-process.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { ACCEPTED, OUT_OF_PROFILE, REFUSED } from "./cases.ts";
import type { Ecdsa, Operation, Verdict } from "./cases.ts";
import type { Implementation } from "./implementation.ts";

const PUBLIC_KEY_BYTES = 65;
const VERDICTS = /verdicts:([01?]*)/;
const WASM_SERVICE = "type.googleapis.com/envoy.extensions.wasm.v3.WasmService";
const BYTES_VALUE = "type.googleapis.com/google.protobuf.BytesValue";

export const host: Implementation = { judge };

async function judge(operations: readonly Operation[]): Promise<readonly Verdict[]> {
  const asked = operations.filter((operation) => operation.kind === "ecdsa");
  const answers = asked.length === 0 ? "" : await askEnvoy(asked);
  if (answers.length !== asked.length) throw new Error(`${answers.length} verdicts on ${asked.length} signatures`);
  const verdicts = answers[Symbol.iterator]();
  return operations.map((operation) =>
    operation.kind === "ecdsa" ? verdictOf(verdicts.next().value) : OUT_OF_PROFILE,
  );
}

/** A host that gives no answer would leave it to the filter's own code; here it is an error. */
function verdictOf(answer: unknown): Verdict {
  if (answer === "1") return ACCEPTED;
  if (answer === "0") return REFUSED;
  throw new Error("Envoy gave no answer to a signature");
}

async function askEnvoy(cases: readonly Ecdsa[]): Promise<string> {
  const configuration = Buffer.concat(cases.map(encode));
  const envoy = await startEnvoy({
    binary: await findEnvoy({
      environment: process.env,
      onProgress: (what) => process.stderr.write(`wpgate: ${what}\n`),
    }),
    bootstrap: bootstrap(configuration),
    logLevel: "warning",
  });
  try {
    const line = await envoy.log.waitFor(VERDICTS);
    return VERDICTS.exec(line)?.[1] ?? "";
  } finally {
    await envoy.stop();
  }
}

/** The row that host-probe.ts reads. */
function encode({ encoding, publicKey, message, signature }: Ecdsa): Uint8Array {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new Error("the probe takes uncompressed points only");
  const signatureLength = Buffer.alloc(2);
  signatureLength.writeUInt16LE(signature.length);
  const messageLength = Buffer.alloc(4);
  messageLength.writeUInt32LE(message.length);
  return Buffer.concat([
    Uint8Array.of(encoding === "p1363" ? 1 : 0),
    ...[publicKey, signatureLength, signature, messageLength, message],
  ]);
}

function bootstrap(configuration: Buffer): object {
  const vm_config = {
    runtime: "envoy.wasm.runtime.v8",
    code: { local: { filename: projectFile("filter/build/host-probe.wasm") } },
  };
  const config = {
    name: "host-probe",
    vm_config,
    configuration: { "@type": BYTES_VALUE, value: configuration.toString("base64") },
  };
  return {
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    bootstrap_extensions: [
      { name: "envoy.bootstrap.wasm", typed_config: { "@type": WASM_SERVICE, singleton: true, config } },
    ],
  };
}
