/** docs/istio.md, typed in order, on the lab: every command ends as the page says, and what it shows is what comes out. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { User } from "../lab/api-server.ts";
import { IstioAgent } from "../lab/istio-agent.ts";
import { Lab } from "../lab/lab.ts";
import { Registry } from "../lab/registry.ts";
import { endsWithError, isShown, onlyLooks, stepsOf } from "./page.ts";
import { Shell, type Pasted } from "./shell.ts";

const STEPS = stepsOf(readFileSync(projectFile("docs/istio.md"), "utf8"));
/** What is on its way from kubectl to Envoy arrives within this time, also on a machine that is busy. */
const DEADLINE_MS = 60_000;

let lab: Lab;
let shell: Shell;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  lab = await Lab.start();
  running.push(lab);
  const registry = await Registry.start(lab.programs);
  const agent = await IstioAgent.start({
    ...{ file: lab.programs.istioAgent, ads: lab.istiod.adsPort, namespace: "team-a" },
  });
  running.push(registry, agent);
  const workload = await lab.startSidecar({
    ...{ namespace: "team-a", name: "shop", labels: { app: "shop" }, ads: agent.socket },
  });
  await workload.answers("/orders", 200, DEADLINE_MS);
  const main = projectFile("dist/cli/main.js");
  shell = await Shell.create(
    {
      wpgate: `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`,
      kubectl: lab.programs.kubectl,
      crane: lab.programs.crane,
    },
    {
      WPGATE: projectFile("."),
      REGISTRY: registry.host,
      SIDECAR: `http://${workload.address}:${workload.port}`,
      ENVOY: `http://127.0.0.1:${workload.envoy.admin.port}`,
    },
  );
  running.push({ stop: () => shell.remove() });
  await shell.write(".kube/config", await kubeconfigFor(["admin", "platform", "owner"]));
});
afterAll(async () => {
  for (const one of running.reverse()) await one.stop();
});

test("the page has commands, and shows what most of them answer", () => {
  expect(STEPS.length).toBeGreaterThan(15);
  expect(STEPS.filter(({ output }) => output !== undefined).length).toBeGreaterThan(STEPS.length / 2);
});

test.each(STEPS.map((step) => [step.line, step.commands.split("\n")[0] ?? "", step] as const))(
  "line %i: %s",
  async (line, _, step) => {
    let pasted: Pasted | undefined;
    const isRight = ({ exitCode, output }: Pasted): boolean =>
      (exitCode !== 0) === endsWithError(step) && (step.output === undefined || isShown(step.output, output));
    await until({
      what: `docs/istio.md, line ${line}`,
      timeoutMs: onlyLooks(step) ? DEADLINE_MS : 0,
      intervalMs: 200,
      context: () => `the page shows\n${step.output ?? "nothing"}but with ${pasted?.exitCode} it is\n${pasted?.output}`,
      probe: async () => (isRight((pasted = await shell.paste(step.commands))) ? true : undefined),
    });
  },
);

/** One kubeconfig with a context for each of them. */
async function kubeconfigFor(names: readonly User[]): Promise<string> {
  const files = await Promise.all(names.map((name) => readFile(lab.api.kubeconfigOf(name), "utf8")));
  const configs = files.map((text) => JSON.parse(text) as Readonly<Record<"clusters" | "users", readonly unknown[]>>);
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", clusters: configs[0]?.clusters },
    users: configs.flatMap(({ users }) => users),
    contexts: names.map((name) => ({ name, context: { cluster: "lab", user: name } })),
  });
}
