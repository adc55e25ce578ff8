/** istiod away and back, and what the owner says meanwhile: nobody has to push anything again for it to count. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Lab } from "../lab/lab.ts";
import { attacksOn } from "../lab/guard-attacks.ts";
import { allow, GuardedPlace } from "../lab/guarded-place.ts";
import { isSynced } from "../lab/syncz.ts";

const NAMESPACES = { sotw: "team-a", delta: "team-b" } as const;
const STRICT = { http: { xffNumTrustedHops: 0 } };
const LAX = { http: { xffNumTrustedHops: 7 } };

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
});
afterAll(() => lab.stop());

describe.each(["sotw", "delta"] as const)("%s", (protocol) => {
  const namespace = NAMESPACES[protocol];
  let place: GuardedPlace;

  beforeAll(async () => {
    place = await GuardedPlace.start({ lab, namespace, protocol, parentShutdownTimeSec: 1 });
    await place.say({ guard: STRICT });
    await place.expectRight();
  });
  afterAll(() => place.stop());

  /** Of the connection manager that is in force. */
  async function trustedHops(): Promise<string | undefined> {
    const dump = JSON.stringify(await place.proxied.workload.envoy.admin.configDump());
    return /"xff_num_trusted_hops":(\d+)/.exec(dump)?.[1];
  }

  async function becomesTrusted(hops: string | undefined): Promise<void> {
    await until({
      what: `${hops ?? "no"} trusted hops`,
      timeoutMs: 20_000,
      context: () => place.proxied.proxy.log.tail(4),
      probe: async () => ((await trustedHops()) === hops ? true : undefined),
    });
  }

  async function isIstiodHappy(): Promise<void> {
    await until({
      what: "istiod's configuration accepted",
      timeoutMs: 40_000,
      context: () => place.proxied.proxy.log.tail(4),
      probe: async () => ((await isSynced(lab, place.node)) ? true : undefined),
    });
  }

  test("without istiod Envoy works on, and so do a new proxy and a new Envoy", async () => {
    await lab.istiod.stop();
    await place.expectRight();
    await place.proxied.workload.hotRestart();
    await place.expectRight();
    await place.proxied.restartProxy();
    await place.proxied.workload.hotRestart();
    await place.expectRight();
  });

  test("what was said meanwhile comes with istiod", async () => {
    await place.say({ policies: [allow("/customers*")], guard: STRICT });
    await place.expectRight();
    await lab.istiod.resume();
    await place.proxied.workload.answers("/customers", 200, 40_000);
    await place.proxied.workload.answers("/orders/1", 403);
    await place.say({ guard: STRICT });
    await place.expectRight();
    await isIstiodHappy();
  });

  test("a Guard that allows what was refused releases it, a stricter one closes what does not keep it", async () => {
    const believesClients = attacksOn("SIDECAR_INBOUND").filter(({ what }) => what.includes("X-Forwarded-For"));
    const since = place.proxied.proxy.log.count;
    await lab.apply(...believesClients.flatMap(({ objects }) => objects(place.place, place.plugin)));
    await until({
      what: "the refusal",
      timeoutMs: 20_000,
      probe: () => (place.proxied.refusalsSince(since).some(({ code }) => code === "http") ? true : undefined),
    });
    await place.expectRight();
    expect(await trustedHops()).not.toBe("7");

    await place.say({ guard: LAX });
    await becomesTrusted("7");
    await place.expectRight();

    await place.say({ guard: STRICT });
    await place.proxied.workload.answers("/orders/1", 503);
    expect(await place.proxied.lastRefusal("LDS")).toMatchObject({ code: "http" });

    await lab.kubectl(["delete", "envoyfilter/attack", "-n", namespace]);
    await place.expectRight();
    await isIstiodHappy();
  });

  test("a Guard that was made stricter while istiod was away closes what istiod still says", async () => {
    const believesClients = attacksOn("SIDECAR_INBOUND").filter(({ what }) => what.includes("X-Forwarded-For"));
    await place.say({ guard: LAX });
    await lab.apply(...believesClients.flatMap(({ objects }) => objects(place.place, place.plugin)));
    await becomesTrusted("7");
    await lab.istiod.stop();
    await place.say({ guard: STRICT });
    await place.expectRight();
    await lab.istiod.resume();
    await place.proxied.workload.answers("/orders/1", 503, 40_000);
    await lab.kubectl(["delete", "envoyfilter/attack", "-n", namespace]);
    await place.expectRight();
  });
});
