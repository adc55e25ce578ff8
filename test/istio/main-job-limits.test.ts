/**
 * What the filter alone cannot stop: whoever writes etcd or Kubernetes can take it away. These tests say what really
 * happens then, and what the belt behind the filter changes about it.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { DemoOwner } from "../../xds-proxy/src/demo/demo-owner.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { ownStory } from "../../xds-proxy/src/demo/story.ts";
import { readObjects } from "../../xds-proxy/src/owner/objects.ts";
import { encodePin } from "../../xds-proxy/src/owner/pin.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { sidecarObjects } from "../lab/routing.ts";
import { LabStage } from "../lab/stage.ts";
import { deletion, takeovers, type Takeover } from "../lab/takeover.ts";

const story = ownStory();
const ALLOWED = "/orders/7";
const DENIED = "/customers";
let lab: Lab;
let module: PinnedModule;
let stage: LabStage;

beforeAll(async () => {
  const owner = await DemoOwner.create(story.namespace);
  const recipient = { key: ExchangeKey.generate(), auth: randomBytes(16) };
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  module = await PinnedModule.create(encodePin(owner.pin));
  stage = await LabStage.start({ lab, namespace: story.namespace, app: story.app, module, recipient });
  const bundle = await owner.publish({ plain: story.first, sealed: [], recipients: [] });
  expect(await stage.deliver(bundle, false)).toEqual({ answer: "ACK", codes: [] });
  await expectDecided();
});
afterAll(async () => {
  await lab.stop();
  await module.remove();
});

async function expectDecided(): Promise<void> {
  for (const { workload } of stage.doors) {
    await workload.answers(DENIED, 403, 30_000);
    await workload.answers(ALLOWED, 200, 30_000);
  }
}

async function expectOpen(): Promise<void> {
  for (const { workload } of stage.doors) await workload.answers(DENIED, 200, 30_000);
}

test.each([
  ["deletes the WasmPlugin", 0],
  ["removes the filter with an EnvoyFilter", 1],
  ["names a module that is not there, with FAIL_OPEN", 2],
])("who %s opens both doors, and undoing it closes them", async (_, index) => {
  const takeover: Takeover = takeovers(lab, stage)[index]!;
  await takeover.take();
  await expectOpen();
  await takeover.undo();
  await expectDecided();
});

test("another module, pinned to somebody else, enforces what that one says", async () => {
  const stranger = await DemoOwner.create(story.namespace);
  const { name, text } = { name: "all", text: JSON.stringify(ALLOW_ALL) };
  const plain = readObjects([{ name, text }], story.namespace);
  const bundle = await stranger.publish({ plain, sealed: [], recipients: [] });
  const theirs = await PinnedModule.create(encodePin(stranger.pin));
  const before = await Promise.all(stage.doors.map(({ plugin }) => stage.etcd.read(stage.keyOf(plugin))));
  const pluginConfig = { wpgate: 1, sets: [bundle] };
  await stage.rewrite((spec) => ({ ...spec, url: `file://${theirs.path}`, pluginConfig }), { refused: false });
  await expectOpen();
  for (const [index, { plugin }] of stage.doors.entries()) await stage.etcd.write(stage.keyOf(plugin), before[index]);
  await expectDecided();
  await theirs.remove();
});

test("a port that is renamed to TCP has no HTTP filters", async () => {
  const { workload } = stage.doors[0]!;
  const { address, port, app } = workload;
  const place = { namespace: story.namespace, name: story.app, labels: { app: story.app } };
  const objects = sidecarObjects({ ...place, address, port, appPort: app.port });
  await lab.apply(...objects.map((object) => JSON.parse(JSON.stringify(object).replace('"HTTP"', '"TCP"')) as unknown));
  await workload.answers(DENIED, 200, 30_000);
  await lab.apply(...objects);
  await expectDecided();
});

test("with the belt a deleted WasmPlugin closes the sidecar; without both it is open", async () => {
  const belt = projectFile("deploy/kubernetes/namespace/belt.yaml");
  const { workload } = stage.doors[0]!;
  const plugin = deletion(stage);
  await lab.kubectl(["apply", "-n", story.namespace, "-f", belt]);
  await plugin.take();
  await workload.answers(ALLOWED, 403, 30_000);
  await lab.kubectl(["delete", "-n", story.namespace, "-f", belt]);
  await workload.answers(DENIED, 200, 30_000);
  await plugin.undo();
  await expectDecided();
});

const ALLOW_ALL = {
  ...{ apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name: "all" } },
  spec: { action: "ALLOW", rules: [{}] },
};
