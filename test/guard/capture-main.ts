/**
 * `node tools/run.mjs test/guard/capture-main.ts`: writes `captured/` again, from a real istiod (the lab) with the options
 * that Istio's own images have: metadata exchange, the ALPN filter, metrics, mutual TLS.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseYaml } from "../../xds-proxy/src/bytes/yaml.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Lab } from "../lab/lab.ts";
import { capture, type Captured, type CapturedNode } from "./ads-capture.ts";
import { writeCaptured } from "./captured.ts";
import { CAPTURES, objectsOf } from "./captures.ts";

const lab = await Lab.start({
  istiodEnvironment: { PILOT_ENABLE_METADATA_EXCHANGE: "true", PILOT_ENABLE_ALPN_FILTER: "true" },
  mesh: {
    enableAutoMtls: true,
    accessLogFile: "/dev/stdout",
    defaultProviders: { metrics: ["prometheus"], tracing: ["zipkin"] },
    extensionProviders: [{ name: "zipkin", zipkin: { service: "zipkin.istio-system.svc.cluster.local", port: 9411 } }],
  },
});
try {
  const belt = parseYaml(await readFile(projectFile("deploy/kubernetes/namespace/belt.yaml"), "utf8"));
  const [first] = belt;
  if (first === undefined || !("value" in first)) throw new Error("no belt");
  for (const object of objectsOf(first.value)) await lab.apply(object);
  for (const { name, node, labels } of CAPTURES) {
    const captured = await settled(lab.istiod.adsPort, node);
    await writeFile(projectFile(`test/guard/captured/${name}.json`), writeCaptured({ node, labels, ...captured }));
    process.stderr.write(`${name}: ${captured.listeners.length} listeners, ${captured.clusters.length} clusters\n`);
  }
} finally {
  await lab.stop();
}

/** istiod takes a moment to know what was applied: two captures in a row are the same, and the plugin is in them. */
async function settled(port: number, node: CapturedNode): Promise<Captured> {
  let last = "";
  return await until({
    what: `istiod sending the same to ${node.id} twice`,
    intervalMs: 500,
    probe: async () => {
      const captured = await capture(port, node);
      const text = JSON.stringify(
        [captured.listeners, captured.clusters, captured.endpoints, captured.routes, captured.extensions].map(lengths),
      );
      const isSame = text === last && captured.extensions.length > 0;
      last = text;
      return isSame ? captured : undefined;
    },
  });
}

/** Go writes the entries of a map in any order, and resources come in any order: only their lengths stay the same. */
function lengths(values: readonly Uint8Array[]): readonly number[] {
  return values.map(({ length }) => length).toSorted((a, b) => a - b);
}
