/** `wpgate inspect`: what envelopes say about themselves, without believing a word of it. */
import { Command } from "commander";
import { encodeBase64Url } from "../../bytes/base64url.ts";
import { decodeUtf8 } from "../../bytes/octets.ts";
import { inspectEnvelope, type UntrustedView } from "../../envelope/inspect.ts";
import { ParseError } from "../../errors.ts";
import { parseBundle, type NamespaceBundle } from "../../owner/bundle.ts";
import { pinOf } from "../../pin/pin-module.ts";
import type { CliContext } from "../context.ts";
import { inputName, readInput } from "../files.ts";
import { example, jsonOption, outputOption } from "../options.ts";
import { columns, painter, printable, printJson, warn } from "../ui.ts";

interface Options {
  readonly output: "text" | "json";
}

/** An envelope and where it was found; `view` is the reason when it can not be shown. */
interface Found {
  readonly where: string;
  readonly view: UntrustedView | string;
}

const UNTRUSTED = "nothing here was verified; anybody can write anything into an envelope (see wpgate verify)";

export function inspectCommand(context: CliContext): Command {
  const command = new Command("inspect")
    .summary("show any envelope, without trusting it")
    .description(
      "Shows what is in envelopes: claims, who claims to have signed, the payload unless it is sealed. Takes a\n" +
        "bundle, WasmPlugin objects, an envelope as base64url text (one a line) or as bytes; of a module, the\n" +
        "pin. No signature is checked and no verdict is given: that is what wpgate verify is for.",
    )
    .argument("[file]", "what to show, - for stdin", "-")
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (path: string, options: Options) => {
      const bytes = await readInput(context, path);
      if (WASM_MAGIC.every((byte, index) => bytes[index] === byte)) showPin(context, bytes, options);
      else showEnvelopes(context, envelopesIn(bytes, inputName(path)), options);
      warn(context, UNTRUSTED);
    });
  return example(command, "wpgate inspect team-a/bundle.json");
}

const WASM_MAGIC: readonly number[] = [0x00, 0x61, 0x73, 0x6d];

function showPin(context: CliContext, module: Uint8Array, { output }: Options): void {
  const pin = pinOf(module);
  if (output === "json") printJson(context, { trusted: false, pin: pin ?? null });
  else context.stdout(`${pin === undefined ? "not pinned: answers 503 to everything" : printable(pin)}\n`);
}

function showEnvelopes(context: CliContext, found: readonly Found[], { output }: Options): void {
  if (output === "json")
    printJson(context, { trusted: false, envelopes: found.map(({ where, view }) => ({ where, view })) });
  else context.stdout(found.map((item) => textOf(context, item)).join("\n"));
}

function envelopesIn(bytes: Uint8Array, path: string): readonly Found[] {
  const text = decodeUtf8(bytes)?.trim();
  if (text === undefined) return [{ where: path, view: viewOf(encodeBase64Url(bytes)) }];
  const lines = text.split(/\s+/);
  if (lines.every((line) => /^[A-Za-z0-9_-]+$/.test(line)))
    return lines.map((line, index) => ({
      where: lines.length === 1 ? path : `${path}:${index + 1}`,
      view: viewOf(line),
    }));
  return parseBundle(text, path).sets.flatMap((set, index) => partsOf(set, `sets[${index}]`));
}

function partsOf({ roots, fresh, set, envelopes }: NamespaceBundle, at: string): readonly Found[] {
  const texts = [
    ...roots.map((text, index) => [`${at}.roots[${index}]`, text] as const),
    ...(fresh === undefined ? [] : [[`${at}.fresh`, fresh] as const]),
    ...(set === undefined ? [] : [[`${at}.set`, set] as const]),
    ...envelopes.map((text, index) => [`${at}.envelopes[${index}]`, text] as const),
  ];
  return texts.map(([where, text]) => ({ where, view: viewOf(text) }));
}

function viewOf(text: string): UntrustedView | string {
  try {
    return inspectEnvelope(text);
  } catch (error) {
    if (error instanceof ParseError) return `not an envelope: ${error.message}`;
    throw error;
  }
}

function textOf(context: CliContext, { where, view }: Found): string {
  const paint = painter(context.colour.stdout);
  const title = `${paint("bold", where)}  ${paint("yellow", "NOT VERIFIED")}\n`;
  if (typeof view === "string") return `${title}  ${printable(view)}\n`;
  const { claims, signers, data, routing } = view;
  const { iat, exp, ...others } = claims;
  const rows = [
    ...Object.entries(others).map(([name, value]) => [name, String(value)]),
    ["iat", timeText(iat)],
    ["exp", timeText(exp)],
    ["signers", signers.join(", ")],
    ["bytes", `${view.bytes}, data ${data.bytes}${data.cd === claims.cd ? "" : ", whose digest is not cd"}`],
    ...Object.entries(routing)
      .filter(([, value]) => value !== "" && value !== 0)
      .map(([name, value]) => [`${name} (routing)`, String(value)]),
    ["payload", data.sealed ? "sealed" : (view.payload ?? "not text")],
  ];
  return title + columns(rows.map(([name = "", value = ""]) => [`  ${paint("dim", name)}`, printable(value)]));
}

function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${seconds}${Number.isNaN(date.getTime()) ? "" : ` (${date.toISOString()})`}`;
}
