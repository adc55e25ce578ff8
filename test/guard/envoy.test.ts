/**
 * In a real Envoy: what was captured runs there without what only Istio's build has; the command line finds out what it
 * keeps; what stands in for a refused resource is accepted, and lets nothing through.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { AnySchema, type Any } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBackend, type Backend } from "../../xds-proxy/src/demo/backend.ts";
import { ControlPlane } from "../../xds-proxy/src/demo/control-plane.ts";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { ClusterSchema } from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_pb.js";
import { denyAllExtension, denyAllListener } from "../../xds-proxy/src/guard/check.ts";
import { defaultExtension } from "../../xds-proxy/src/guard/parse.ts";
import { CLUSTER, EXTENSION, LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { Cli } from "../cli/harness.ts";
import { bootstrap } from "../lab/bootstrap.ts";
import { freePort } from "../lab/free-port.ts";
import { readCaptured } from "./captured.ts";
import { editCluster, editListener, editManagers, editWasm } from "./edit.ts";

const NAME = "shop";
const ADDRESS = "127.0.0.1";
const OWN = defaultExtension("team-c");
const CAPTURED = readCaptured("sidecar-none");

let origin: ControlPlane;
let envoy: EnvoyProcess;
let app: Backend;
let cli: Cli;
let port: number;
let admin: string;
let listener: Uint8Array;

beforeAll(async () => {
  [app, origin, port] = [await startBackend(), await ControlPlane.start(), await freePort(ADDRESS)];
  cli = new Cli();
  cli.nowMs = Date.now();
  listener = stockListener();
  await push(CLUSTER, "app", inboundCluster());
  await push(EXTENSION, OWN, extension());
  await push(LISTENER, NAME, listener);
  envoy = await startEnvoy({
    binary: await findEnvoy({ environment: process.env }),
    drainTimeSec: 0,
    bootstrap: bootstrap({
      ...{ kind: "sidecar", namespace: "team-c", name: "shop", labels: { app: "shop" }, address: ADDRESS },
      ads: origin.port,
    }),
  });
  admin = `http://127.0.0.1:${envoy.admin.port}`;
  await answers(503);
});
afterAll(async () => {
  await envoy.stop();
  origin.stop();
  await app.stop();
  cli.remove();
});

async function push(typeUrl: string, name: string, value: Uint8Array): Promise<string> {
  const any: Any = { $typeName: AnySchema.typeName, typeUrl, value };
  return await Promise.resolve(origin.set(typeUrl, name, any));
}

async function answers(status: number): Promise<string> {
  return await until({
    what: `an answer with ${status}`,
    timeoutMs: 20_000,
    context: () => envoy.log.tail(5),
    probe: async () => {
      const answer = await send({ port, host: ADDRESS, path: "/x" }).catch(() => undefined);
      return answer?.status === status ? answer.body : undefined;
    },
  });
}

/** Without Istio's own filters, its tracer, its log and the TLS of an agent that is not there. */
function stockListener(): Uint8Array {
  const [inbound = new Uint8Array()] = CAPTURED.listeners.filter((value) =>
    Buffer.from(value).includes("inbound|8080"),
  );
  const stock = editListener(inbound, (message) => {
    message.name = NAME;
    if (message.address?.address.case === "socketAddress") {
      message.address.address.value.address = ADDRESS;
      message.address.address.value.portSpecifier = { case: "portValue", value: port };
    }
    message.listenerFilters = [];
    message.accessLog = [];
    const chain = message.filterChains.find(({ transportSocket }) => transportSocket === undefined);
    message.filterChains = chain ? [chain] : [];
    if (chain) {
      delete chain.filterChainMatch;
      chain.filters = chain.filters.filter(({ name }) => !name.startsWith("istio."));
    }
  });
  return editManagers(
    stock,
    () => true,
    (manager) => {
      manager.httpFilters = manager.httpFilters.filter(({ name }) => !name.startsWith("istio."));
      manager.accessLog = [];
      delete manager.tracing;
    },
  );
}

function inboundCluster(): Uint8Array {
  const [cluster = new Uint8Array()] = CAPTURED.clusters.filter(
    (value) => fromBinary(ClusterSchema, value).name === "inbound|8080||",
  );
  return editCluster(cluster, ({ loadAssignment }) => {
    for (const { hostIdentifier } of (loadAssignment?.endpoints ?? []).flatMap(({ lbEndpoints }) => lbEndpoints))
      if (hostIdentifier.case === "endpoint" && hostIdentifier.value.address?.address.case === "socketAddress")
        hostIdentifier.value.address.address.value.portSpecifier = { case: "portValue", value: app.port };
  });
}

/** Not pinned, so that it answers 503. */
function extension(): Uint8Array {
  const [value = new Uint8Array()] = CAPTURED.extensions;
  return editWasm(value, ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code)
      config.vm.value.code.specifier = {
        case: "local",
        value: {
          $typeName: "envoy.config.core.v3.DataSource",
          specifier: { case: "filename", value: projectFile("filter/build/wpgate.wasm") },
        },
      };
  });
}

test("guard init proposes a Guard that the live configuration keeps, and that can be signed", async () => {
  const { code, stdout, stderr } = await cli.run(["guard", "init", "--envoy", admin]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`port: ${port}`);
  expect(stdout).toContain("WPGATE_RECIPIENT");
  cli.write("guard.yaml", stdout);
  expect(await cli.run(["guard", "check", "--envoy", admin, "--guard", "guard.yaml"])).toMatchObject({
    code: 0,
    stdout: "",
  });
  const names = ["--namespace", "team-c", "--mesh", "prod", "--contact", "mailto:c@example.com"];
  cli.write("pin.json", await cli.good("root", "init", "-C", "team-c", ...names));
  await cli.good("sign", "-C", "team-c", "guard.yaml");
  const signed = ["--bundle", "team-c/bundle.json", "--pin", "pin.json"];
  expect(await cli.good("doctor", "--envoy", admin, ...signed)).toMatch(new RegExp(`${port} .* covered`));
});

test("doctor says what is open, and why", async () => {
  expect(await cli.good("doctor", "--envoy", admin)).toMatch(new RegExp(`${port} .* covered`));
  const without = editManagers(
    listener,
    () => true,
    (manager) => {
      manager.httpFilters = manager.httpFilters.filter(({ name }) => name !== OWN && name !== "wpgate-belt");
    },
  );
  await push(LISTENER, NAME, without);
  await answers(200);
  const { code, stdout, stderr } = await cli.run(["doctor", "--envoy", admin]);
  expect(code).toBe(1);
  expect(stdout).toMatch(new RegExp(`${port} .* open .*filter-missing`));
  expect(stderr).toContain("restore the WasmPlugin");
  const checked = await cli.run(["guard", "check", "--envoy", admin, "--guard", "guard.yaml"]);
  expect(checked.code).toBe(1);
  expect(checked.stdout).toContain("belt");
  const json = await cli.run(["doctor", "--envoy", admin, "--guard", "guard.yaml", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ open: true });
});

test("a listener that denies all takes the place of one, and says who does it", async () => {
  await push(LISTENER, NAME, denyAllListener(listener));
  await until({
    what: "a denial by wpgate",
    timeoutMs: 20_000,
    probe: async () => ((await answers(503)).includes("refused by wpgate") ? true : undefined),
  });
  const { name, address, trafficDirection } = fromBinary(ListenerSchema, denyAllListener(listener));
  const before = fromBinary(ListenerSchema, listener);
  expect({ name, address, trafficDirection }).toEqual({
    ...{ name: before.name, address: before.address, trafficDirection: before.trafficDirection },
  });
});

test("an extension that denies all takes the place of the filter", async () => {
  await push(EXTENSION, OWN, denyAllExtension(OWN));
  await push(LISTENER, NAME, listener);
  await answers(403);
  expect(await envoy.admin.stat("listener_manager.lds.update_rejected")).toBe(0);
});
