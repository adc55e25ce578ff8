/** `wpgate set`: the set over the statements that are there. */
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { collect, example } from "../options.ts";
import { openOwnerFolder } from "../owner-folder.ts";
import { changePublished, findPublished, type PublishingOptions } from "../publishing.ts";
import { addPublishingOptions } from "./sign.ts";

interface Options extends PublishingOptions {
  readonly dir: string;
  readonly remove?: readonly string[];
}

export function setCommand(context: CliContext): Command {
  const command = new Command("set")
    .summary("renew the set, remove objects from it")
    .description(
      "Signs the set of what is in bundle.json again, without the objects that --remove names, and renews\n" +
        "statements that have lived half of their time. What the set does not list is gone for every consumer.",
    )
    .addOption(new Option("--remove <kind/name>", "take an object out; can be repeated").argParser(collect));
  addPublishingOptions(command).action(async (options: Options) => {
    const folder = openOwnerFolder(context, options.dir);
    await changePublished(context, folder, options, (published) => ({
      put: [],
      remove: findPublished(published, options.remove ?? []),
    }));
  });
  return example(command, "wpgate set -C team-a --remove AuthorizationPolicy/partners");
}
