/**
 * The programs of the lab: etcd, kube-apiserver, kubectl, istiod, istio-agent, a registry and its client, all of one
 * go.mod. Go builds them once (about 7 minutes on 2 cores) into a cache folder.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { goTools, type BuildOptions } from "./go-tools.ts";

/** What kube-apiserver calls itself; clients and feature gates look at it. */
const KUBERNETES = "1.36.1";
const CRDS = "manifests/charts/base/files/crd-all.gen.yaml";
const [MAJOR, MINOR] = KUBERNETES.split(".");
const LINKER_FLAGS = [
  ...["-s", "-w", `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES}`],
  `-X k8s.io/component-base/version.gitMajor=${MAJOR} -X k8s.io/component-base/version.gitMinor=${MINOR}`,
].join(" ");

/** Absolute paths. */
export interface Programs {
  readonly folder: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly istiod: string;
  readonly istioAgent: string;
  readonly registry: string;
  readonly crane: string;
  /** Istio's custom resource definitions, one YAML file. */
  readonly crds: string;
}

export type FindProgramsOptions = BuildOptions;

/** @throws ConfigError when Go is missing or too old; UpstreamError with what Go says when it cannot build */
export async function findPrograms(options: FindProgramsOptions = {}): Promise<Programs> {
  const folder = await goTools(
    {
      ...{ name: "the lab", source: projectFile("test/lab/stack"), linkerFlags: LINKER_FLAGS },
      announcement:
        "building etcd, kube-apiserver, kubectl and istiod with Go (once, about 7 minutes on 2 cores, 5 GB)",
      complete: async (work, module) => {
        await copyFile(join(await module("istio.io/istio"), CRDS), join(work, "crds.yaml"));
      },
    },
    options,
  );
  return {
    folder,
    etcd: join(folder, "server"),
    kubeApiserver: join(folder, "kube-apiserver"),
    kubectl: join(folder, "kubectl"),
    istiod: join(folder, "pilot-discovery"),
    istioAgent: join(folder, "pilot-agent"),
    registry: join(folder, "registry"),
    crane: join(folder, "crane"),
    crds: join(folder, "crds.yaml"),
  };
}
