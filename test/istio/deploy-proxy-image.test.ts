/** What deploy/image puts together, as far as it goes without a container runtime: the packed files, production packages only. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { parseGuard } from "../../xds-proxy/src/guard/check.ts";
import { Lab } from "../lab/lab.ts";
import { ProxiedPod } from "../lab/proxied-pod.ts";
import { admitted, buildApp, makeNamespace, NS, podOf } from "./proxied-app.ts";

const DOCKERFILE = readFileSync(projectFile("deploy/image/Dockerfile"), "utf8");
/** In the image `/app`. */
let app: string;
let program: string;

beforeAll(() => {
  app = realpathSync(mkdtempSync(join(tmpdir(), "wpgate-image-")));
  const npm = (...args: readonly string[]): string =>
    execFileSync("npm", args, { cwd: projectFile("."), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [{ filename }] = JSON.parse(npm("pack", "--ignore-scripts", "--json", "--pack-destination", app)) as [
    { filename: string },
  ];
  execFileSync("tar", ["-xzf", join(app, filename), "-C", app, "--strip-components=1"]);
  for (const path of productionPackages()) {
    mkdirSync(dirname(join(app, path)), { recursive: true });
    symlinkSync(projectFile(path), join(app, path));
  }
  program = join(app, "dist/cli/main.js");
});
afterAll(() => {
  rmSync(app, { recursive: true });
});

/** What `npm ci --omit=dev` installs. Those inside another package come with it. */
function productionPackages(): readonly string[] {
  const lock = JSON.parse(readFileSync(projectFile("package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev = false }]) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && !dev)
    .map(([path]) => path)
    .filter((path) => existsSync(projectFile(path)));
}

const wpgate = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [program, ...args], { cwd: app, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

describe("the packed project", () => {
  it("has the program that the Dockerfile makes executable, and what it needs", () => {
    expect(DOCKERFILE).toContain("chmod 0755 /app/dist/cli/main.js");
    expect(DOCKERFILE).toContain("ln -s /app/dist/cli/main.js /usr/local/bin/wpgate");
    expect(readFileSync(program, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    for (const path of ["filter/build/wpgate.wasm", "deploy/kubernetes/proxy/proxy-sidecar.yaml"])
      expect(existsSync(join(app, path)), path).toBe(true);
    expect(existsSync(join(app, "node_modules/vitest"))).toBe(false);
  });

  it("is made of files that the Dockerfile finds in a clone, and of images named by digest", () => {
    for (const [, files = ""] of DOCKERFILE.matchAll(/^COPY (?!--from)(.*) \S+$/gm))
      for (const file of files.split(" ")) expect(existsSync(projectFile(file)), file).toBe(true);
    const bases = [...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(bases).toHaveLength(2);
    for (const image of bases) expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  it("takes the configuration of the wrapping proxy as it is shipped", () => {
    const file = join(app, "deploy/kubernetes/wrap/proxy.yaml");
    const printed = parse(wpgate("proxy", "--config", file, "--print-config")) as Record<string, unknown>;
    expect(printed).toMatchObject(parse(readFileSync(file, "utf8")) as object);
  });

  it("has a Guard that an owner can sign", () => {
    const guard = parse(readFileSync(join(app, "deploy/kubernetes/owner/guard.yaml"), "utf8")) as object;
    expect(parseGuard(Buffer.from(JSON.stringify(guard)))).toMatchObject({ faults: [], guard: { name: "shop" } });
  });
});

describe("on the lab", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({ injection: {} });
    await makeNamespace(lab);
  });
  afterAll(() => lab.stop());

  it.each(["proxy", "proxy-unwrap"])(
    "takes the configuration of the component %s as it is shipped",
    async (component) => {
      const { annotations } = podOf(await buildApp(lab, component)).metadata;
      const file = join(app, `${component}.yaml`);
      const shipped = annotations["wpgate.dev/proxy.yaml"] ?? "";
      writeFileSync(file, shipped);
      const printed = parse(wpgate("proxy", "--config", file, "--print-config")) as Record<string, unknown>;
      expect(printed).toMatchObject(parse(shipped) as object);
    },
  );

  it("runs as the pod has it: probe, istio-agent, Envoy, and istiod by TLS with the workload's token", async () => {
    wpgate("root", "init", "-C", "owner", "--namespace", NS, "--mesh", "prod", "--contact", "mailto:a@example.com");
    const pod = podOf(await buildApp(lab, "proxy"));
    const pin = {
      ...pod.metadata.annotations,
      "wpgate.dev/pin.json": readFileSync(join(app, "owner/pin.json"), "utf8"),
    };
    const made = await admitted(lab, { ...pod, metadata: { ...pod.metadata, annotations: pin } });
    const running = await ProxiedPod.start(lab, { pod: made, program });
    try {
      // The owner's content is not there yet, so that nobody can say what is protected.
      await running.workload.answers("/", 503);
      const { stdout, status } = spawnSync(process.execPath, [program, "status", "--proxy", running.adminUrl], {
        ...{ cwd: app, encoding: "utf8", env: { HOME: app } },
      });
      expect(stdout).toContain("check  ready");
      expect(stdout).toMatch(/^ {2}team-a {2}nothing verified/m);
      expect(stdout).toMatch(/sidecar~127\.0\.0\.\d+~shop\.team-a~\S+ {2}sotw {2}upstream connected/);
      expect(status).toBe(1);
    } finally {
      await running.stop();
    }
  });
});
