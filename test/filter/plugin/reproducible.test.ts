/** The shipped file is what its sources say, wherever they lie: whoever builds it gets the same bytes, and may compare. */
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { run } from "../../../xds-proxy/src/demo/child-output.ts";
import { projectFile } from "../../../xds-proxy/src/demo/project-file.ts";
import { shippedModule } from "../../host/shipped-module.ts";

const PLACES = ["a", "another name/and deeper/ünïcode"];

let folder = "";
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("two clean builds in different places are the shipped file, byte for byte", { timeout: 240_000 }, async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-reproducible-"));
  const built = await Promise.all(PLACES.map((place) => build(join(folder, place))));
  expect(built.map(sha256)).toEqual(PLACES.map(() => sha256(shippedModule())));
});

async function build(place: string): Promise<Uint8Array> {
  await mkdir(place, { recursive: true });
  for (const input of ["filter/assembly", "asconfig.json"])
    await cp(projectFile(input), join(place, input), { recursive: true });
  const compiler = projectFile("node_modules/assemblyscript/bin/asc.js");
  const options = ["--config", "asconfig.json", "--target", "release", "--outFile", "wpgate.wasm"];
  // `cd` in a shell: the compiler takes its sources from where it runs.
  const args = ["-c", 'cd "$1" && shift && exec "$@"', "sh", place, process.execPath, compiler];
  const output = await run({
    file: "sh",
    args: [...args, "filter/assembly/index.ts", ...options],
    environment: process.env,
  });
  if (output?.exitCode !== 0) throw new Error(`asc: ${output?.stderr ?? "no shell"}`);
  return await readFile(join(place, "wpgate.wasm"));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
