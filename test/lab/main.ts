/** `npm run lab`: brings up the lab with a sidecar and a gateway, asks both for an answer, and stops, or stays with `--keep`. */
import { parseArgs } from "node:util";
import { interruption } from "./interruption.ts";
import { Lab } from "./lab.ts";
import { findPrograms } from "./programs.ts";

const HELP = `usage: npm run lab [-- OPTION]

Brings up etcd, kube-apiserver, istiod, and Envoy as a sidecar and as a gateway on loopback.

  --keep    stay, and print kubeconfig, addresses and what to try; Ctrl-C ends it
  --build   only build the programs (once, about 7 minutes on 2 cores)
  --help    this text
`;

const started = performance.now();
const say = (message: string): void => {
  process.stderr.write(`wpgate: ${message} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
};

const interrupted = interruption();

try {
  await main();
} catch (error) {
  process.stderr.write(`wpgate: error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = interrupted.aborted ? 130 : 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { keep: { type: "boolean" }, build: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) process.stdout.write(HELP);
  else if (values.build) await findPrograms({ onProgress: say, signal: interrupted });
  else await bringUp(values.keep ?? false);
}

async function bringUp(keep: boolean): Promise<void> {
  const lab = await Lab.start({ onProgress: say, signal: interrupted });
  try {
    say("starting Envoy as a sidecar and as a gateway");
    const sidecar = await lab.startSidecar({ namespace: "team-a", name: "shop", labels: { app: "shop" } });
    const gateway = await lab.startGateway({
      namespace: "team-a",
      name: "ingress",
      labels: { istio: "ingressgateway" },
    });
    await sidecar.answers("/", 200);
    await gateway.answers("/", 200);
    say("all of it works");
    if (!keep || interrupted.aborted) return;
    const kubectl = `${lab.programs.kubectl} --kubeconfig=${lab.api.kubeconfigOf("admin")}`;
    process.stdout.write(
      [
        `export KUBECONFIG=${lab.api.kubeconfigOf("admin")} PATH=${lab.programs.folder}:$PATH`,
        "",
        `sidecar  http://${sidecar.address}:${sidecar.port}   admin http://127.0.0.1:${sidecar.envoy.admin.port}`,
        `gateway  http://${gateway.address}:${gateway.port}   admin http://127.0.0.1:${gateway.envoy.admin.port}`,
        `istiod   127.0.0.1:${lab.istiod.adsPort} (xDS)`,
        "",
        "Try:",
        `  curl -i http://${sidecar.address}:${sidecar.port}/orders`,
        `  ${kubectl} get sidecars,gateways,wasmplugins -A`,
        "  wpgate status -A   # after npm link",
        "",
      ].join("\n"),
    );
    say("Ctrl-C ends it");
    await new Promise((resolve) => {
      interrupted.addEventListener("abort", resolve, { once: true });
    });
  } finally {
    await lab.stop();
  }
}
