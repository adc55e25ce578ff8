/** The chapters that only the lab can show: who may change what in Kubernetes, and what is left. */
import type { Play } from "../../xds-proxy/src/demo/play.ts";
import { verdictOf } from "../../xds-proxy/src/demo/play.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import type { Table } from "../../xds-proxy/src/demo/table.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { Lab } from "./lab.ts";
import type { LabStage } from "./stage.ts";
import { deletion, takeovers } from "./takeover.ts";

const PLATFORM = projectFile("deploy/kubernetes/platform");
const BELT = projectFile("deploy/kubernetes/namespace/belt.yaml");
const PATIENCE_MS = 30_000;
const RBAC = "rbac.authorization.k8s.io";

export interface Scene {
  readonly table: Table;
  readonly lab: Lab;
  readonly stage: LabStage;
  readonly play: Play;
}

/** An editor of the namespace, whose role lets him do everything to WasmPlugins. */
export async function editor({ table, lab, stage, play }: Scene): Promise<void> {
  const { namespace } = stage;
  const as = ["--as=erin", "--as-group=editors", "-n", namespace];
  const patch = (spec: object): string[] => {
    return ["patch", "wasmplugin", "wpgate", "--type=merge", "-p", JSON.stringify({ spec })];
  };
  const elsewhere = patch({ url: "oci://registry.example.com/mine:1" });
  const refusal = async (args: readonly string[]): Promise<string> =>
    await lab.kubectl([...as, ...args]).then(
      () => "",
      (error: unknown) => String(error),
    );

  table.chapter(`The admission policy of deploy/kubernetes keeps an editor of ${namespace} to the content`);
  await lab.apply(...editorRole(namespace));
  await lab.kubectl(["apply", "--server-side", "-k", PLATFORM]);
  await until({
    what: "the admission policy being in force",
    timeoutMs: PATIENCE_MS,
    intervalMs: 100,
    probe: async () => (isAdmission(await refusal([...elsewhere, "--dry-run=server"])) ? true : undefined),
  });
  table.head();
  const tries: readonly (readonly [string, readonly string[]])[] = [
    ["points the WasmPlugin to a module of its own", elsewhere],
    ["lets it fail open", patch({ failStrategy: "FAIL_OPEN" })],
    ["moves it to workloads that do not exist", patch({ selector: { matchLabels: { app: "none" } } })],
    ["deletes it", ["delete", "wasmplugin", "wpgate"]],
  ];
  for (const [what, args] of tries) {
    const isRefused = isAdmission(await refusal(args));
    const { same, requests } = await play.unchanged();
    const envoy = isRefused ? "API server refuses it" : "gets it";
    table.step({ what, envoy, requests, right: isRefused && same, wrong: "should be refused by the admission policy" });
  }
}

/** Each of these succeeds: that is what is to be shown. */
export async function whatIsLeft({ table, lab, stage }: Scene): Promise<void> {
  const path = "/customers";
  const answer = async (status: number): Promise<boolean> => {
    for (const { workload } of stage.doors) if (!(await answers(workload, path, status))) return false;
    return true;
  };
  table.chapter("What is left: whoever writes to etcd can take the filter away");
  table.head();
  for (const { what, effect, take, undo } of takeovers(lab, stage)) {
    await take();
    const isOpen = await answer(200);
    await undo();
    const isBack = await answer(403);
    const note = `GET ${path} ${verdictOf(200)}`;
    table.step({
      what,
      envoy: effect,
      note,
      right: isOpen && isBack,
      wrong: "should open, and close when it is undone",
    });
  }
  const [sidecar] = stage.doors;
  if (sidecar === undefined) return;
  const plugin = deletion(stage);
  await lab.kubectl(["apply", "-n", stage.namespace, "-f", BELT]);
  await plugin.take();
  const isClosed = await answers(sidecar.workload, "/orders/7", 403);
  await plugin.undo();
  await lab.kubectl(["delete", "-n", stage.namespace, "-f", BELT]);
  const what = "deletes the WasmPlugin, where the belt is behind it";
  const isBack = await answers(sidecar.workload, "/orders/7", 200);
  const note = `GET /orders/7 ${verdictOf(403)}`;
  table.step({ what, envoy: "closes the sidecar", note, right: isClosed && isBack, wrong: "should close" });
}

async function answers(
  workload: LabStage["doors"][number]["workload"],
  path: string,
  status: number,
): Promise<boolean> {
  return await workload.answers(path, status, PATIENCE_MS).then(
    () => true,
    () => false,
  );
}

function isAdmission(refusal: string): boolean {
  return refusal.includes("ValidatingAdmissionPolicy");
}

function editorRole(namespace: string): readonly unknown[] {
  const metadata = { name: "editors", namespace };
  return [
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: "Role", metadata },
      rules: [{ apiGroups: ["extensions.istio.io"], resources: ["wasmplugins"], verbs: ["*"] }],
    },
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: "RoleBinding", metadata },
      roleRef: { apiGroup: RBAC, kind: "Role", name: "editors" },
      subjects: [{ apiGroup: RBAC, kind: "Group", name: "editors" }],
    },
  ];
}
