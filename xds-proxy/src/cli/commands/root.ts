/** `wpgate root …`: the keys and settings of a namespace, and the pin. */
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { rootChangeCommand } from "./root-change.ts";
import { rootInitCommand } from "./root-init.ts";
import { rootPinCommand } from "./root-pin.ts";
import { rootRotateCommand } from "./root-rotate.ts";

export function rootCommand(context: CliContext): Command {
  return new Command("root")
    .summary("begin, change keys and settings, make pins")
    .description("The root of a namespace says which keys speak for it and how strict consumers are.")
    .addCommand(rootInitCommand(context))
    .addCommand(rootPinCommand(context))
    .addCommand(rootChangeCommand(context))
    .addCommand(rootRotateCommand(context));
}
