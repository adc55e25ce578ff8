/** What is sealed for a workload whose key the proxy has, and Envoy's environment has not. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeExchangeKeyPem } from "../../xds-proxy/src/crypto/key-files.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { encodeRecipientVariable, RECIPIENT_VARIABLE } from "../../xds-proxy/src/owner/recipient.ts";
import { ecdsName, member, wasmConfigs } from "../lab/delivery.ts";
import { Lab } from "../lab/lab.ts";
import { newReader } from "../scenarios/owner.ts";
import { allow, GuardedPlace, LABELS, type Word } from "../lab/guarded-place.ts";
import { lastErrors } from "../lab/syncz.ts";

const NAMESPACES = { sotw: "team-a", delta: "team-b" } as const;
const HOST_KEY = { environment: { hostKeys: [RECIPIENT_VARIABLE] } };

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
});
afterAll(() => lab.stop());

describe.each(["sotw", "delta"] as const)("%s", (protocol) => {
  const namespace = NAMESPACES[protocol];
  const reader = newReader();
  const key = encodeRecipientVariable(reader);
  let place: GuardedPlace;

  beforeAll(async () => {
    place = await GuardedPlace.start({
      ...{ lab, namespace, protocol },
      config: { recipient: "recipient.pem" },
      files: { "recipient.pem": encodeExchangeKeyPem(reader) },
    });
    await place.say(sealed());
  });
  afterAll(() => place.stop());

  /** A policy and a Guard that nobody else can read. */
  function sealed(modules: readonly string[] = []): Word {
    const readers = [reader.public];
    const rules = [{ to: [{ operation: { paths: ["/orders/secret"] } }] }];
    return {
      policies: [allow("/orders*"), { name: "deny", spec: { action: "DENY", rules }, readers }],
      guard: { filter: { sha256: [place.module.sha256, ...modules], ...HOST_KEY } },
      guardReaders: readers,
    };
  }

  async function expectSealedRight(): Promise<void> {
    await place.expectRight();
    await place.proxied.workload.answers("/orders/secret", 403);
  }

  async function refused(since: number, type: string, code: string): Promise<void> {
    await until({
      what: `${type} refused by ${code}`,
      timeoutMs: 20_000,
      context: () => place.proxied.proxy.log.tail(4),
      probe: () => {
        const refusals = place.proxied.refusalsSince(since);
        return refusals.some((refusal) => refusal.type === type && refusal.code === code) ? true : undefined;
      },
    });
  }

  test("sealed policies are in force, and nothing of them can be read", async () => {
    expect(JSON.stringify(place.plugin)).not.toContain("secret");
    await expectSealedRight();
  });

  test("a sealed Guard is in force", async () => {
    const since = place.proxied.proxy.log.count;
    await lab.kubectl(["delete", "envoyfilter/wpgate-belt", "-n", namespace]);
    await refused(since, "LDS", "belt");
    await expectSealedRight();
    await place.applyBelt();
  });

  test("only the VM of the guarded filter has the key", async () => {
    const dump = JSON.stringify(await place.proxied.workload.envoy.admin.configDump());
    expect(dump.split(key)).toHaveLength(2);
    const config = (await wasmConfigs(place.proxied.workload.envoy.admin)).get(ecdsName(`${namespace}/wpgate`));
    expect(member(config, "vm_config", "environment_variables", "key_values", RECIPIENT_VARIABLE)).toBe(key);
    expect(place.proxied.proxy.log.tail(10_000)).not.toContain(key);
  });

  test("another plugin that asks for it is refused, and gets nothing where no Guard speaks against it", async () => {
    const thief = place.module.plugin({ namespace, name: "thief", selector: LABELS, bundles: [await place.sign({})] });
    const { spec } = thief as { spec: object };
    const vmConfig = { env: [{ name: RECIPIENT_VARIABLE, valueFrom: "HOST" }] };
    const since = place.proxied.proxy.log.count;
    await lab.apply({ ...thief, spec: { ...spec, vmConfig } });
    await refused(since, "LDS", "code");
    await expectSealedRight();
    expect((await wasmConfigs(place.proxied.workload.envoy.admin)).has(ecdsName(`${namespace}/thief`))).toBe(false);

    await place.say({ guard: null });
    const environment = await until({
      what: "the other plugin",
      timeoutMs: 20_000,
      context: () => place.proxied.proxy.log.tail(4),
      probe: async () => {
        const config = (await wasmConfigs(place.proxied.workload.envoy.admin)).get(ecdsName(`${namespace}/thief`));
        return config && { variables: member(config, "vm_config", "environment_variables") };
      },
    });
    expect(environment.variables).toBeUndefined();
    expect(JSON.stringify(await place.proxied.workload.envoy.admin.configDump())).not.toContain(key);

    await lab.kubectl(["delete", "wasmplugin/thief", "-n", namespace]);
    await place.say(sealed());
    await expectSealedRight();
  });

  test("Envoy's words about it do not get to istiod", async () => {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-broken-"));
    try {
      const broken = Buffer.from("0061736d01000000ff", "hex");
      const sha256 = createHash("sha256").update(broken).digest("hex");
      await writeFile(join(folder, "broken.wasm"), broken);
      await place.say({ ...sealed([sha256]), module: { url: `file://${folder}/broken.wasm`, sha256 } });
      const told = await until({
        what: "Envoy's refusal in istiod's syncz",
        timeoutMs: 20_000,
        context: () => place.proxied.proxy.log.tail(4),
        probe: async () => (await lastErrors(lab, place.node))[0],
      });
      expect(told).toBe("Envoy refuses it; why is in the log of wpgate proxy");
    } finally {
      await rm(folder, { recursive: true });
    }
    await place.say(sealed());
    await expectSealedRight();
  });
});
