/** Files as commands read and write them; `-` is stdin or stdout. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { dirname, join, relative, resolve } from "node:path";
import { decodeUtf8 } from "../bytes/octets.ts";
import { ConfigError } from "../errors.ts";
import type { CliContext } from "./context.ts";

export const STDIO = "-";
/** More than any file that a command has a use for. */
const INPUT_MAX_BYTES = 64 * 1024 * 1024;

/** All of a stream; stops to read, with an error, when `signal` fires. */
export async function stdinBytes(stream: Readable, signal: AbortSignal): Promise<Uint8Array> {
  signal.addEventListener("abort", () => stream.destroy());
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > INPUT_MAX_BYTES) throw new ConfigError([{ path: "stdin", message: "longer than 64 MiB" }]);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws ConfigError when there is no such file, or it is longer than any input may be. */
export async function readInput(context: CliContext, path: string): Promise<Uint8Array> {
  if (path === STDIO) return await context.readStdin();
  return attempt(path, "cannot be read", () => {
    const file = resolve(context.cwd, path);
    if (statSync(file).size > INPUT_MAX_BYTES) throw new Error("longer than 64 MiB");
    return readFileSync(file);
  });
}

/** @throws ConfigError, also when the file is not UTF-8. */
export async function readTextInput(context: CliContext, path: string): Promise<string> {
  const text = decodeUtf8(await readInput(context, path));
  if (text === undefined) throw new ConfigError([{ path: inputName(path), message: "is not UTF-8 text" }]);
  return text.replace(/^\ufeff/, "");
}

/** What an input is called in messages. */
export function inputName(path: string): string {
  return path === STDIO ? "stdin" : path;
}

/** A path as the person would type it. */
export function shownPath(context: CliContext, path: string): string {
  const short = relative(context.cwd, path);
  return short === "" ? "." : short.startsWith("..") ? path : short;
}

/** A folder stands for the YAML and JSON files in it and below, in the order of their names. */
export function expandFolders(context: CliContext, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    if (path === STDIO) return [path];
    const isFolder = attempt(path, "cannot be read", () => statSync(resolve(context.cwd, path)).isDirectory());
    return isFolder ? filesBelow(context, path) : [path];
  });
}

function filesBelow(context: CliContext, folder: string): readonly string[] {
  const entries = attempt(folder, "cannot be read", () =>
    readdirSync(resolve(context.cwd, folder), { withFileTypes: true }),
  );
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(context, path);
      return /\.(?:ya?ml|json)$/.test(entry.name) ? [path] : [];
    });
}

export interface WriteOptions {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode?: number;
}

/** A reader, or a crash, sees the old content or the new one and nothing between them. */
export function replaceFile({ path, content, mode = 0o644 }: WriteOptions): void {
  const scratch = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  attempt(path, "cannot be written", () => {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeNew(scratch, content, mode);
      renameSync(scratch, path);
    } finally {
      rmSync(scratch, { force: true });
    }
  });
}

/** @throws ConfigError when something with this name is there already; it is left as it is. */
export function createFile({ path, content, mode = 0o644 }: WriteOptions): void {
  attempt(path, "cannot be created", () => {
    mkdirSync(dirname(path), { recursive: true });
    writeNew(path, content, mode);
  });
}

/** O_EXCL: never through a link that somebody has put there, never over a file. */
function writeNew(path: string, content: string | Uint8Array, mode: number): void {
  const file = openSync(path, "wx", mode);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function attempt<T>(path: string, what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError([{ path, message: `${what}: ${reason(cause)}` }]);
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file or folder";
  if (code === "EEXIST") return "it exists already";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return cause.message;
}
