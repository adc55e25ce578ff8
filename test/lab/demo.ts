/** `npm start -- --istio`: the demo on a real API server, a real istiod, and Envoy as a sidecar and as a gateway. */
import { parseArgs } from "node:util";
import { painter } from "../../xds-proxy/src/cli/ui.ts";
import { ATTACKS } from "../../xds-proxy/src/demo/attacks.ts";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { introduce, Play, type Cast } from "../../xds-proxy/src/demo/play.ts";
import { ownStory, type Story } from "../../xds-proxy/src/demo/story.ts";
import { Table } from "../../xds-proxy/src/demo/table.ts";
import { encodePin } from "../../xds-proxy/src/owner/pin.ts";
import { editor, whatIsLeft } from "./demo-chapters.ts";
import { behindProxy } from "./demo-proxy.ts";
import { GuardedPlace } from "./guarded-place.ts";
import { Lab } from "./lab.ts";
import { PinnedModule } from "./plugin.ts";
import { LabStage } from "./stage.ts";

const HELP = `usage: npm start -- --istio [OPTION]

Plays the demo on a real Kubernetes API server and a real istiod, which carry to Envoy what the owner signs, as a
sidecar and as a gateway, and then takes it away in every way, without and with wpgate proxy between. Everything is on
loopback. Their programs are built with Go first (once, about 7 minutes on
2 cores). Exit code 0 when all went as it should, 1 otherwise.

  --keep    leave everything running until Ctrl-C, and print addresses to try
  --help    this text
`;

const say = (message: string): void => {
  process.stderr.write(`wpgate: ${message}\n`);
};
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    interrupted.abort(new Error(`stopped by ${signal}`));
  });

const { values } = parseArgs({
  options: { istio: { type: "boolean" }, keep: { type: "boolean" }, help: { type: "boolean" } },
});
try {
  if (values.help) process.stdout.write(HELP);
  else process.exitCode = (await show(values.keep ?? false)) ? 0 : 1;
} catch (error) {
  if (interrupted.signal.aborted) say("stopped");
  else say(`error: ${error instanceof Error ? error.message : String(error)}`);
  // What was under way still waits for a lab that is gone.
  process.exit(interrupted.signal.aborted ? 130 : 1);
}

async function show(keep: boolean): Promise<boolean> {
  const { signal } = interrupted;
  const story = ownStory();
  await findEnvoy({ environment: process.env, onProgress: say, signal });
  const lab = await Lab.start({ onProgress: say, signal, istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  const ends: (() => Promise<void>)[] = [() => lab.stop()];
  const atEnd = (end: () => Promise<void>): void => void ends.push(end);
  try {
    const isTerminal = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
    const table = new Table({ write: (text) => process.stdout.write(text), paint: painter(isTerminal) });
    const cast = await introduce(table, story);
    const module = await PinnedModule.create(encodePin(cast.owner.pin));
    atEnd(() => module.remove());
    const interruption = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(new Error("stopped"));
      });
      if (signal.aborted) reject(new Error("stopped"));
    });
    return await Promise.race([perform({ lab, story, table, cast, module, atEnd }, keep), interruption]);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

interface Performance {
  readonly lab: Lab;
  readonly story: Story;
  readonly table: Table;
  readonly cast: Cast;
  readonly module: PinnedModule;
  /** Takes down what was built, the newest first, however the play ends. */
  readonly atEnd: (end: () => Promise<void>) => void;
}

async function perform({ lab, story, table, cast, module, atEnd }: Performance, keep: boolean): Promise<boolean> {
  const { namespace, app } = story;
  const stage = await LabStage.start({ lab, namespace, app, module, recipient: cast.recipient });
  const play = new Play({ table, story, cast, stage });
  await play.honestDelivery("Kubernetes and istiod carry it to a sidecar and a gateway");
  await play.hostileCarrier("Somebody who can write to etcd rewrites it", ATTACKS);
  await play.rotation();
  const scene = { table, lab, stage, play };
  await editor(scene);
  await whatIsLeft(scene);
  const guarded = await GuardedPlace.start({ lab, namespace: "team-b", protocol: "delta" });
  atEnd(() => guarded.stop());
  await behindProxy({ table, lab, guarded });
  const right = play.conclude("Who reaches the pod or the node is not stopped by any of it.");
  if (keep) await stay({ lab, stage, story, guarded });
  return right;
}

interface Standing {
  readonly lab: Lab;
  readonly stage: LabStage;
  readonly story: Story;
  readonly guarded: GuardedPlace;
}

async function stay({ lab, stage: { doors, namespace }, story: { requests }, guarded }: Standing): Promise<void> {
  const { proxy, workload } = guarded.proxied;
  const lines = [
    `export KUBECONFIG=${lab.api.kubeconfigOf("admin")} PATH=${lab.programs.folder}:$PATH`,
    `kubectl get wasmplugins -n ${namespace} -o yaml`,
    ...doors.flatMap(({ workload: { address, port, envoy } }) => [
      ...requests.slice(0, 2).map(({ method, path }) => `curl -i -X ${method} http://${address}:${port}${path}`),
      `curl -s 'http://127.0.0.1:${envoy.admin.port}/stats?filter=wpgate'`,
    ]),
    `curl -i http://${workload.address}:${workload.port}/customers   # behind wpgate proxy`,
    `npx wpgate status --proxy http://127.0.0.1:${proxy.adminPort}`,
    `npx wpgate doctor --envoy http://127.0.0.1:${workload.envoy.admin.port}`,
    `open http://127.0.0.1:${proxy.adminPort}/`,
  ];
  process.stdout.write(`\nTry:\n${lines.map((line) => `  ${line}\n`).join("")}`);
  say("Ctrl-C ends it");
  await new Promise(() => undefined);
}
