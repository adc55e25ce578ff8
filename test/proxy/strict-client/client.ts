/**
 * grpc-js with its xDS plugin as a program of its own: calls the service named by its argument over and over, and prints
 * `answer PORT` or `error DETAILS`. Where the control plane is stands in GRPC_XDS_BOOTSTRAP_CONFIG.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";
import { WHO_PATH } from "./backend.ts";

const EVERY_MS = 20;
const DEADLINE_MS = 5_000;

register();
const client = new Client(`xds:///${process.argv[2] ?? ""}`, credentials.createInsecure());
const pass = (bytes: Buffer): Buffer => bytes;

async function call(): Promise<string> {
  return await new Promise((resolve) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    client.makeUnaryRequest(WHO_PATH, pass, pass, Buffer.alloc(0), options, (error, answer) => {
      resolve(error ? `error ${error.details}` : `answer ${answer?.toString() ?? ""}`);
    });
  });
}

for (;;) {
  console.log(await call());
  await sleep(EVERY_MS);
}
