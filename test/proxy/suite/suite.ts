/** go-control-plane's integration suite with real Envoy, unmodified, in a network of its own: it listens on all addresses. */
import { pathToFileURL } from "node:url";
import { run } from "../../../xds-proxy/src/demo/child-output.ts";
import { findEnvoy } from "../../../xds-proxy/src/demo/envoy-binary.ts";
import { projectFile } from "../../../xds-proxy/src/demo/project-file.ts";
import type { ProxyOptions } from "../harness/proxy-process.ts";
import { inOwnNetwork } from "./network.ts";
import { suitePrograms, type SuitePrograms } from "./programs.ts";

/** Where the suite's control plane listens. */
export const CONTROL_PLANE = "127.0.0.1:18000";

/** How Envoy talks to the control plane. */
export type SuiteMode = "ads" | "delta-ads" | "xds" | "delta" | "rest";

export interface SuiteOptions {
  readonly mode: SuiteMode;
  /** Of the suite, such as `-tls` and `-mux`. */
  readonly flags?: readonly string[];
  /** Who Envoy says it is; the suite's own `test-id` when absent. */
  readonly node?: { readonly id: string; readonly metadata?: object };
  /** What stands between Envoy and the control plane, which is on 127.0.0.1:18000; the control plane's side first. */
  readonly proxies?: readonly ProxyOptions[];
  /** Where Envoy connects to; the control plane itself when absent. */
  readonly adsPort?: number;
}

export interface SuiteRun extends Required<Omit<SuiteOptions, "adsPort">> {
  readonly adsPort?: number | undefined;
  readonly programs: SuitePrograms;
  readonly envoy: string;
}

export interface SuiteResult {
  /** How the suite's process ended. */
  readonly end: string;
  /** What the suite said. */
  readonly log: readonly string[];
  readonly envoyLog: readonly string[];
  /** Envoy's counters of accepted and rejected updates. */
  readonly stats: Readonly<Record<string, number>>;
}

export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const spec: SuiteRun = {
    ...{ flags: [], node: { id: "test-id" }, proxies: [], ...options },
    ...{ programs: await suitePrograms(), envoy: await findEnvoy({ environment: process.env }) },
  };
  const loader = pathToFileURL(projectFile("node_modules/tsx/dist/loader.mjs")).href;
  const stage = ["--import", loader, projectFile("test/proxy/suite/stage.ts"), JSON.stringify(spec)];
  const [file, ...args] = await inOwnNetwork(process.execPath, stage);
  const output = await run({ file, args, environment: process.env });
  if (output?.exitCode !== 0) throw new Error(`the suite cannot be run:\n${output?.stderr ?? file}`);
  return JSON.parse(output.stdout) as SuiteResult;
}
