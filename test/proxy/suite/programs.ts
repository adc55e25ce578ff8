/** go-control-plane's own integration suite: its control plane with its test, the server that Envoy forwards to, its bootstraps. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { projectFile } from "../../../xds-proxy/src/demo/project-file.ts";
import { goTools, type BuildOptions } from "../../lab/go-tools.ts";

/** Absolute paths. */
export interface SuitePrograms {
  /** Control plane and test in one. */
  readonly main: string;
  readonly upstream: string;
  /** A folder of `bootstrap-MODE.yaml`. */
  readonly bootstraps: string;
}

/** @throws ConfigError when Go is missing or too old; UpstreamError with what Go says when it cannot build */
export async function suitePrograms(options: BuildOptions = {}): Promise<SuitePrograms> {
  const folder = await goTools(
    {
      ...{ name: "go-control-plane's suite", source: projectFile("test/proxy/suite"), linkerFlags: "-s -w" },
      announcement: "building go-control-plane's suite with Go (once, about a minute)",
      complete: async (work, module) => {
        const sources = await module("github.com/envoyproxy/go-control-plane");
        await cp(join(sources, "sample"), join(work, "bootstraps"), { recursive: true });
      },
    },
    options,
  );
  return { main: join(folder, "main"), upstream: join(folder, "upstream"), bootstraps: join(folder, "bootstraps") };
}
