/** The settings of a root as options: the same for `root init` and `root change`. */
import { InvalidArgumentError, Option, type Command } from "commander";
import type { Role } from "../envelope/roles.ts";
import type { RootSettings } from "../owner/root.ts";
import { durationSec } from "./options.ts";

export interface SettingOptions {
  readonly mode?: RootSettings["mode"];
  readonly default?: RootSettings["default"];
  readonly paths?: RootSettings["paths"];
  readonly onStale?: RootSettings["onStale"];
  readonly maxFresh?: number;
  readonly threshold?: Partial<Record<Role, number>>;
}

export function addSettingOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--mode <mode>", "enforce, or only count what would be denied").choices(["enforce", "monitor"]),
    )
    .addOption(
      new Option("--default <verdict>", "without any ALLOW policy: deny, or allow as Istio does").choices([
        "deny",
        "istio",
      ]),
    )
    .addOption(
      new Option("--paths <rule>", "refuse ambiguous paths, or take them as Istio does").choices(["strict", "istio"]),
    )
    .addOption(
      new Option("--on-stale <rule>", "what a running consumer does when fresh runs out").choices(["keep", "deny"]),
    )
    .addOption(
      new Option("--max-fresh <time>", "longest life of a fresh statement, such as 24h").argParser(durationSec),
    )
    .addOption(
      new Option("--threshold <role=n>", "how many keys of a role must sign; can be repeated").argParser(threshold),
    );
}

export function settingsOf({ mode, paths, onStale, maxFresh, ...options }: SettingOptions): Partial<RootSettings> {
  return {
    ...(mode && { mode }),
    ...(options.default && { default: options.default }),
    ...(paths && { paths }),
    ...(onStale && { onStale }),
    ...(maxFresh !== undefined && { maxFreshSec: maxFresh }),
  };
}

function threshold(text: string, before: Partial<Record<Role, number>> = {}): Partial<Record<Role, number>> {
  const match = /^(root|cfg|fresh|push)=([1-8])$/.exec(text);
  const role = (["root", "cfg", "fresh", "push"] as const).find((name) => name === match?.[1]);
  if (role === undefined) throw new InvalidArgumentError("It must be ROLE=N, such as cfg=2.");
  return { ...before, [role]: Number(match?.[2]) };
}
