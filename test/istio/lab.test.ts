/** `npm run lab` as a person meets it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";

interface Started {
  readonly child: ChildProcess;
  readonly output: { text: string };
}

function startLab(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Started {
  const loader = projectFile("node_modules/tsx/dist/loader.mjs");
  const child = spawn(process.execPath, ["--import", loader, projectFile("test/lab/main.ts"), ...args], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (output.text += chunk));
  return { child, output };
}

test("without Go it says in one sentence what is missing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wpgate-no-go-"));
  try {
    const { child, output } = startLab(["--build"], { PATH: dirname(process.execPath), XDG_CACHE_HOME: folder });
    expect(await once(child, "close")).toEqual([1, null]);
    expect(output.text).toMatch(/^wpgate: error: go: not found; the lab is built with Go 1\.\d+ or newer\n$/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("with --keep it shows what to try, and all of it ends with it, even when it is killed", async () => {
  const { child, output } = startLab(["--keep"]);
  await until({
    what: "the lab",
    timeoutMs: 100_000,
    context: () => output.text,
    probe: () => (output.text.includes("Ctrl-C ends it") ? true : undefined),
  });
  for (const kind of ["sidecar", "gateway"]) {
    const [, host = "", port = ""] = new RegExp(`^${kind} +http://([\\d.]+):(\\d+) `, "m").exec(output.text) ?? [];
    expect((await send({ host, port: Number(port), path: "/orders" })).status, kind).toBe(200);
  }
  const children = await childrenOf(child.pid ?? -1);
  const names = await Promise.all(children.map(nameOf));
  expect(names).toEqual(expect.arrayContaining(["server", "kube-apiserver", "pilot-discovery", "envoy"]));
  child.kill("SIGKILL");
  await until({
    what: "the end of every program",
    probe: async () => ((await Promise.all(children.map(nameOf))).every((name) => name === "") ? true : undefined),
  });
});

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").map(Number);
}

/** Empty when there is no such process any more. */
async function nameOf(pid: number): Promise<string> {
  return await readFile(`/proc/${pid}/cmdline`, "utf8").then(
    (line) => line.split("\0")[0]?.split("/").at(-1) ?? "",
    () => "",
  );
}
