/** A Guard is signed as a policy is, and what the proxy would refuse is refused before. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cli } from "../cli/harness.ts";
import { guardObject, type Spec } from "./guards.ts";

let cli: Cli;
beforeEach(async () => {
  cli = new Cli();
  await cli.good(
    "root",
    "init",
    "-C",
    "team-a",
    "--namespace",
    "team-a",
    "--mesh",
    "prod",
    "--contact",
    "mailto:a@example.com",
  );
});
afterEach(() => {
  cli.remove();
});

/** YAML: JSON is YAML. */
function write(spec: Spec): void {
  cli.write("guard.yaml", JSON.stringify(guardObject("team-a", spec)));
}

test("a Guard is signed, verified, and no policy to explain", async () => {
  write({});
  await cli.good("sign", "-C", "team-a", "guard.yaml");
  expect(await cli.good("verify", "team-a/bundle.json", "--pin", "team-a/pin.json")).toContain("Guard/shop");
  const { code, stderr } = await cli.run(["explain", "-C", "team-a", "--path", "/x", "--label", "app=shop"]);
  expect([code, stderr]).toEqual([1, ""]);
});

test("each fault of a Guard is shown with its path, and nothing is signed", async () => {
  write({ ports: [{ port: 0 }], filter: { sha256: ["x"], other: 1 }, belt: "yes", more: {} });
  const { code, stderr } = await cli.run(["sign", "-C", "team-a", "guard.yaml"]);
  expect(code).not.toBe(0);
  for (const path of [
    "spec.ports[0].port",
    "spec.filter.sha256[0]",
    "spec.filter.other: not supported",
    "spec.belt",
    "spec.more",
  ])
    expect(stderr).toContain(path);
  const verified = await cli.run(["verify", "team-a/bundle.json", "--pin", "team-a/pin.json"]);
  expect(verified.stdout).not.toContain("Guard");
});
