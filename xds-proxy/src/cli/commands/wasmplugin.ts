/** `wpgate wasmplugin`: the Istio object that carries bundles to Envoy. */
import { createHash } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import { describe } from "../../owner/describe.ts";
import {
  FAIL_STRATEGIES,
  imageDigestOf,
  MATCH_MODES,
  OBJECT_WARN_BYTES,
  wasmPlugin,
  wasmPluginContent,
  type FailStrategy,
  type MatchMode,
  type WasmPlugin,
  type WasmPluginOptions,
} from "../../owner/wasm-plugin.ts";
import { readBundleInput } from "../bundle-input.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { readInput } from "../files.ts";
import { example, jsonOption, keyValue, outputOption } from "../options.ts";
import { printJson, warn } from "../ui.ts";

interface Options {
  readonly name: string;
  readonly namespace?: string;
  readonly url?: string;
  readonly content?: true;
  readonly sha256?: string;
  readonly module?: string;
  readonly mode: MatchMode;
  readonly failStrategy: FailStrategy;
  readonly selector?: Readonly<Record<string, string>>;
  readonly output: "yaml" | "json";
}

type Content = Pick<WasmPluginOptions, "name" | "namespace" | "bundle">;

const IMAGE_HINT = "give --url oci://NAME@sha256:HEX, as crane append and oras push print it";

export function wasmpluginCommand(context: CliContext): Command {
  const command = new Command("wasmplugin")
    .summary("write the WasmPlugin that carries bundles to Envoy")
    .description(
      "Prints an Istio WasmPlugin (extensions.istio.io/v1alpha1, phase AUTHZ) with one or more bundles as its\n" +
        "configuration: that of a namespace, and that of the root namespace where it is pinned. Apply it with\n" +
        "kubectl apply --server-side: without that flag kubectl keeps a second copy in an annotation, which\n" +
        "may have 256 KiB only. A warning comes at 200 KiB, and above 1 MiB nothing is written.\n" +
        "An oci:// address names the image with its digest, as crane and oras print it when they push. Where\n" +
        "module and settings are somebody else's (deploy/kubernetes), --content prints the owner's part alone.",
    )
    .argument("<bundle...>", "bundle.json files, or -")
    .addOption(new Option("--name <name>", "name of the object").default("wpgate"))
    .addOption(new Option("--namespace <name>", "namespace of the object (default: that of the first bundle)"))
    .addOption(
      new Option("--url <url>", "where Envoy gets the pinned module: oci://NAME@sha256:HEX, https:// or file:///"),
    )
    .addOption(
      new Option("--content", "nothing but the bundles").conflicts([
        "url",
        "sha256",
        "module",
        "mode",
        "failStrategy",
        "selector",
      ]),
    )
    .addOption(
      new Option(
        "--sha256 <hex>",
        "SHA-256 of the pinned module, as wpgate filter pin prints it; of an image: its digest",
      ).argParser(hex),
    )
    .addOption(new Option("--module <file>", "take the SHA-256 of this module").conflicts("sha256"))
    .addOption(
      new Option("--mode <mode>", "SERVER for sidecars, CLIENT for gateways").choices(MATCH_MODES).default("SERVER"),
    )
    .addOption(
      new Option("--fail-strategy <name>", "both are closed; FAIL_RELOAD comes back by itself")
        .choices(FAIL_STRATEGIES)
        .default("FAIL_RELOAD"),
    )
    .addOption(
      new Option("--selector <label=value>", "only for workloads with this label; can be repeated").argParser(keyValue),
    )
    .addOption(outputOption(["yaml", "json"]))
    .addOption(jsonOption())
    .action(async (paths: string[], options: Options) => {
      await print(context, paths, options);
    });
  return example(
    command,
    `wpgate wasmplugin team-a/bundle.json > plugin.yaml \\
  --url oci://registry.example.com/wpgate@sha256:${createHash("sha256").update("wpgate").digest("hex")}`,
    "\nThen: kubectl apply --server-side -f plugin.yaml",
  );
}

async function print(context: CliContext, paths: readonly string[], options: Options): Promise<void> {
  const bundles = await Promise.all(paths.map((path) => readBundleInput(context, path)));
  const sets = bundles.flatMap((bundle) => bundle.sets);
  const unfinished = sets.findIndex(({ set, fresh }) => set === undefined || fresh === undefined);
  if (unfinished >= 0)
    throw usageError(
      `sets[${unfinished}]`,
      "has no set or no fresh, and would be refused by every consumer",
      "run wpgate sign first",
    );
  const namespace = options.namespace ?? namespaceOf(sets[0]?.set);
  const content = { name: options.name, namespace, bundle: { wpgate: 1, sets } } as const;
  const object = options.content ? wasmPluginContent(content) : await whole(context, content, options);
  const bytes = Buffer.byteLength(JSON.stringify(object));
  if (bytes > OBJECT_WARN_BYTES)
    warn(context, `the object has ${Math.ceil(bytes / 1024)} KiB; from 1024 KiB on the API server refuses it`);
  if (options.output === "json") printJson(context, object);
  else context.stdout(stringify(object, { lineWidth: 0 }));
}

async function whole(context: CliContext, content: Content, options: Options): Promise<WasmPlugin> {
  const { url, mode, failStrategy, selector = {} } = options;
  if (url === undefined)
    throw usageError("--url", "is missing", "give the module's address, or --content where it is somebody else's");
  const sha256 = await digest(context, { ...options, url });
  return wasmPlugin({ ...content, url, sha256, mode, failStrategy, selector });
}

/** For an image Istio compares the digest of its manifest, not of the module in it. */
async function digest(
  context: CliContext,
  { url, sha256, module }: Options & { readonly url: string },
): Promise<string> {
  if (module !== undefined && url.startsWith("oci://"))
    throw usageError("--module", "is not what the digest of an image is made of", IMAGE_HINT);
  const given = sha256 ?? imageDigestOf(url);
  if (given !== undefined) return given;
  if (url.startsWith("oci://")) throw usageError("--url", "has no digest of the image", IMAGE_HINT);
  if (module === undefined)
    throw usageError("--sha256", "is missing", "give --sha256 HEX or --module FILE of the pinned module");
  return createHash("sha256")
    .update(await readInput(context, module))
    .digest("hex");
}

/** Where the object goes is for whoever applies it; what counts is signed. */
function namespaceOf(set: string | undefined): string {
  return set === undefined ? "" : describe(set).claims.ns;
}

function hex(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError("It must be 64 digits of lower-case hex.");
  return text;
}
