/** Options that several commands share, each defined once. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { parseDurationSec } from "../config/duration.ts";

export interface FolderOption {
  readonly dir: string;
}

export function dirOption(): Option {
  return new Option("-C, --dir <folder>", "the owner's folder").default(".");
}

/** The first format is the default. */
export function outputOption(choices: readonly string[]): Option {
  const [first] = choices;
  return new Option("-o, --output <format>", "what to print").choices(choices).default(first);
}

/** What people try first. */
export function jsonOption(): Option {
  return new Option("--json", "the same as -o json").implies({ output: "json" });
}

export interface SignerOptions {
  readonly signer?: readonly string[];
  readonly publicKey?: readonly string[];
}

export function signerOptions(role: string): readonly [Option, Option] {
  return [
    new Option(
      "--signer <file|exec:command>",
      `${role} key, or a program that signs; repeat it for a threshold (default: wpgate.yaml)`,
    ).argParser(collect),
    new Option("--public-key <file>", "public key of the --signer exec: before it").argParser(collect),
  ];
}

export const SIGNER_HELP = `
A program gets the bytes to sign on stdin and writes the ECDSA P-256 signature over their SHA-256 to
stdout: 64 bytes r and s, their base64url, or DER.`;

/** For options that can be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function durationSec(text: string): number {
  const seconds = parseDurationSec(text);
  if (seconds === undefined)
    throw new InvalidArgumentError("It must be a length of time such as 90d, 24h, 15m or 30s.");
  return seconds;
}

/** An RFC 3339 time. */
export function timeMs(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError("It must be a time such as 2030-01-31T12:00:00Z.");
  return ms;
}

/** `name=value`. */
export function keyValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be NAME=VALUE.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Lines that work when pasted, in the order of `wpgate --help`: each builds on what the ones before have made. */
export function example(command: Command, lines: string, after = ""): Command {
  const shown = lines
    .trim()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
  return command.addHelpText("after", `${after === "" ? "" : `${after}\n`}\nExample:\n${shown}`);
}
