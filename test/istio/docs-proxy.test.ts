/** docs/proxy-on-istio.md, typed in order, on the lab: every command ends as the page says, and what it shows is what comes out. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { freePort } from "../lab/free-port.ts";
import { Lab } from "../lab/lab.ts";
import { ProxiedPod } from "../lab/proxied-pod.ts";
import { Registry } from "../lab/registry.ts";
import { get } from "./deployment.ts";
import { endsWithError, isShown, onlyLooks, stepsOf } from "./page.ts";
import { admitted, NS, podOf } from "./proxied-app.ts";
import { Shell, type Pasted } from "./shell.ts";

const STEPS = stepsOf(readFileSync(projectFile("docs/proxy-on-istio.md"), "utf8"));
const PROGRAM = projectFile("dist/cli/main.js");
/** What is on its way from kubectl to Envoy arrives within this time, also on a machine that is busy. */
const DEADLINE_MS = 60_000;

let lab: Lab;
let shell: Shell;
let port: number;
let pod: ProxiedPod | undefined;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  lab = await Lab.start({ injection: {} });
  running.push(lab);
  const registry = await Registry.start(lab.programs);
  running.push(registry);
  await lab.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: NS } },
  );
  port = await freePort();
  shell = await Shell.create(
    {
      wpgate: `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`,
      kubectl: lab.programs.kubectl,
      crane: lab.programs.crane,
    },
    { WPGATE: projectFile("."), REGISTRY: registry.host, PORT: String(port) },
  );
  running.push({ stop: () => shell.remove() });
  await shell.write(".kube/config", await kubeconfig());
});
afterAll(async () => {
  for (const one of running.reverse()) await one.stop();
});

test("the page has commands, and shows what most of them answer", () => {
  expect(STEPS.length).toBeGreaterThan(12);
  expect(STEPS.filter(({ output }) => output !== undefined).length).toBeGreaterThan(STEPS.length / 2);
});

test.each(STEPS.map((step) => [step.line, step.commands.split("\n")[0] ?? "", step] as const))(
  "line %i: %s",
  async (line, _, step) => {
    if (/\$(?:PROXY|SIDECAR)/.test(step.commands)) await startPod();
    let pasted: Pasted | undefined;
    const isRight = ({ exitCode, output }: Pasted): boolean =>
      (exitCode !== 0) === endsWithError(step) && (step.output === undefined || isShown(step.output, output));
    await until({
      what: `docs/proxy-on-istio.md, line ${line}`,
      timeoutMs: onlyLooks(step) ? DEADLINE_MS : 0,
      intervalMs: 200,
      context: () =>
        `the page shows\n${step.output ?? "nothing"}but with ${pasted?.exitCode} it is\n${pasted?.output}` +
        `\n${pod?.log ?? ""}`,
      probe: async () => (isRight((pasted = await shell.paste(step.commands))) ? true : undefined),
    });
  },
);

/** What the Deployment's controller and a kubelet do, once: istiod injects, the admission policy agrees, the containers run. */
async function startPod(): Promise<void> {
  if (pod !== undefined) return;
  const made = await admitted(lab, podOf(await get(lab, "deployment", "shop", NS)));
  pod = await ProxiedPod.start(lab, { pod: made, program: PROGRAM, port });
  const { workload, adminUrl } = pod;
  running.push(pod);
  await shell.paste(`export PROXY=${adminUrl} SIDECAR=http://${workload.address}:${workload.port}`);
}

/** A context for each of the people. */
async function kubeconfig(): Promise<string> {
  const names = ["admin", "platform", "owner"] as const;
  const files = await Promise.all(names.map((name) => readFile(lab.api.kubeconfigOf(name), "utf8")));
  const configs = files.map((text) => JSON.parse(text) as Readonly<Record<"clusters" | "users", readonly unknown[]>>);
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", clusters: configs[0]?.clusters },
    users: configs.flatMap(({ users }) => users),
    contexts: names.map((name) => ({ name, context: { cluster: "lab", user: name } })),
  });
}
