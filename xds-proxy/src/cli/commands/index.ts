/** The commands in the order of `wpgate --help`, which is the order in which a person meets them. */
import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { applyCommand } from "./apply.ts";
import { demoCommand } from "./demo.ts";
import { diffCommand } from "./diff.ts";
import { doctorCommand } from "./doctor.ts";
import { explainCommand } from "./explain.ts";
import { filterCommand } from "./filter.ts";
import { freshCommand } from "./fresh.ts";
import { guardCommand } from "./guard.ts";
import { inspectCommand } from "./inspect.ts";
import { keygenCommand } from "./keygen.ts";
import { proxyCommand } from "./proxy.ts";
import { rootCommand } from "./root.ts";
import { sealCommand } from "./seal.ts";
import { setCommand } from "./set.ts";
import { signCommand } from "./sign.ts";
import { statusCommand } from "./status.ts";
import { verifyCommand } from "./verify.ts";
import { wasmpluginCommand } from "./wasmplugin.ts";

export const COMMANDS: readonly ((context: CliContext) => Command)[] = [
  keygenCommand,
  rootCommand,
  signCommand,
  sealCommand,
  setCommand,
  freshCommand,
  verifyCommand,
  inspectCommand,
  explainCommand,
  diffCommand,
  wasmpluginCommand,
  applyCommand,
  statusCommand,
  filterCommand,
  guardCommand,
  doctorCommand,
  proxyCommand,
  demoCommand,
];
