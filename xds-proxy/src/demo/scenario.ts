/** The stage of the demo: real Envoy with the files of deploy/envoy, an application behind it, and the control plane. */
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Recipient } from "../envelope/types.ts";
import { UpstreamError } from "../errors.ts";
import type { Code } from "../gen/codes.ts";
import { encodeBundle, type NamespaceBundle } from "../owner/bundle.ts";
import { encodePin, type PinFile } from "../owner/pin.ts";
import { encodeRecipientVariable, RECIPIENT_VARIABLE } from "../owner/recipient.ts";
import { pinModule } from "../pin/pin-module.ts";
import { startBackend, type Backend } from "./backend.ts";
import { ControlPlane } from "./control-plane.ts";
import { startEnvoy, type EnvoyProcess } from "./envoy-process.ts";
import { send } from "./http-request.ts";
import { projectFile } from "./project-file.ts";
import { newCodes, refusals } from "./refusals.ts";
import type { Outcome, Probe, Stage } from "./stage.ts";
import { bootstrap, cluster, extensionConfig, listener, toAny, TypeUrl } from "./resources.ts";
import { until } from "./until.ts";

export const SHIPPED_MODULE = "filter/build/wpgate.wasm";
const WORKERS = 2;
const PATIENCE_MS = 5_000;
/** Workers take an update a little after Envoy has answered it. */
const SETTLE_MS = 40;

export interface ScenarioOptions {
  /** What `findEnvoy` returns. */
  readonly envoy: string;
  readonly namespace: string;
  readonly app: string;
  readonly pin: PinFile;
  readonly recipient: Recipient;
  readonly signal: AbortSignal;
}

export class Scenario implements Stage {
  readonly envoy: EnvoyProcess;
  readonly controlPlane: ControlPlane;
  readonly #backend: Backend;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  #port = 0;

  private constructor(parts: {
    envoy: EnvoyProcess;
    controlPlane: ControlPlane;
    backend: Backend;
    folder: string;
    signal: AbortSignal;
  }) {
    this.envoy = parts.envoy;
    this.controlPlane = parts.controlPlane;
    this.#backend = parts.backend;
    this.#folder = parts.folder;
    this.#signal = parts.signal;
  }

  /** Everything runs; nothing has been delivered yet. */
  static async start(options: ScenarioOptions): Promise<Scenario> {
    const { envoy: binary, namespace, app, pin, recipient, signal } = options;
    const folder = await mkdtemp(join(tmpdir(), "wpgate-demo-"));
    // Also when the process ends before `stop` has its turn.
    process.once("exit", () => {
      rmSync(folder, { recursive: true, force: true });
    });
    const controlPlane = await ControlPlane.start();
    const backend = await startBackend();
    try {
      const shipped = await readFile(projectFile(SHIPPED_MODULE));
      await writeFile(join(folder, "wpgate.wasm"), pinModule(shipped, encodePin(pin)));
      controlPlane.set(TypeUrl.cluster, "app", toAny(cluster({ appPort: backend.port })));
      controlPlane.set(TypeUrl.listener, "inbound", toAny(listener()));
      const envoy = await startEnvoy({
        ...{ binary, signal, concurrency: WORKERS, drainTimeSec: 0 },
        bootstrap: bootstrap({ adsPort: controlPlane.port, namespace, app }),
        environment: { [RECIPIENT_VARIABLE]: encodeRecipientVariable(recipient) },
      });
      return new Scenario({ envoy, controlPlane, backend, folder, signal });
    } catch (error) {
      await stopAll({ controlPlane, backend, folder });
      throw error;
    }
  }

  get modulePath(): string {
    return join(this.#folder, "wpgate.wasm");
  }

  /** Where requests go; known after the first delivery. */
  async inboundPort(): Promise<number> {
    if (this.#port === 0) this.#port = await this.envoy.admin.listenerPort("inbound", { signal: this.#signal });
    return this.#port;
  }

  async deliver(bundle: NamespaceBundle, refused: boolean): Promise<Outcome> {
    const before = await refusals(this.envoy.admin);
    const configuration = encodeBundle([bundle]);
    const resource = toAny(extensionConfig({ wasm: this.modulePath, configuration }));
    const version = this.controlPlane.set(TypeUrl.extensionConfig, "wpgate", resource);
    const { error } = await this.controlPlane.waitForAnswer(version, { signal: this.#signal });
    const since = async (): Promise<readonly Code[]> => newCodes(before, await refusals(this.envoy.admin));
    const codes = refused ? await this.#waitForCodes(since) : await since();
    return { answer: error === undefined ? "ACK" : "NACK", codes };
  }

  /** Sends each request once to every worker or so, until all are answered as expected or patience ends. */
  async probe(expected: readonly Probe[], options: { readonly settle: boolean }): Promise<readonly Probe[]> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    if (options.settle) await sleep(SETTLE_MS, undefined, { signal: this.#signal });
    for (;;) {
      const seen = await this.#ask(expected);
      const right = seen.every(({ status }, index) => status === expected[index]?.status);
      if (right || options.settle || performance.now() > deadlineMs) return seen;
      await sleep(SETTLE_MS, undefined, { signal: this.#signal });
    }
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    await stopAll({ controlPlane: this.controlPlane, backend: this.#backend, folder: this.#folder });
  }

  /** The answer that differs from what is expected counts, whichever worker gave it. */
  async #ask(expected: readonly Probe[]): Promise<readonly Probe[]> {
    const port = await this.inboundPort();
    const out: Probe[] = [];
    for (const { method, path, status } of expected) {
      let seen = status;
      for (let time = 0; time < WORKERS * 2 && seen === status; time++)
        seen = (await send({ port, method, path, signal: this.#signal })).status;
      out.push({ method, path, status: seen });
    }
    return out;
  }

  async #waitForCodes(since: () => Promise<readonly Code[]>): Promise<readonly Code[]> {
    try {
      return await until({
        what: "a refusal",
        signal: this.#signal,
        timeoutMs: PATIENCE_MS,
        probe: async () => {
          const codes = await since();
          return codes.length > 0 ? codes : undefined;
        },
      });
    } catch (error) {
      if (error instanceof UpstreamError && error.code === "TIMEOUT") return [];
      throw error;
    }
  }
}

async function stopAll(parts: { controlPlane: ControlPlane; backend: Backend; folder: string }): Promise<void> {
  parts.controlPlane.stop();
  await parts.backend.stop();
  await rm(parts.folder, { recursive: true, force: true });
}
