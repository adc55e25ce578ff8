/** Builds the rivals in rivals/ into .cache, and finds those of `--peers`. Who cannot be had is named, and left out. */
import { spawn } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPeer } from "./crypto-peer.ts";
import type { CryptoPartner } from "./crypto-partner.ts";

interface Rival {
  readonly name: string;
  readonly folder: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly module: string;
  /** What to do when it cannot be built. */
  readonly hint: string;
}

const SOURCES = fileURLToPath(new URL("rivals", import.meta.url));
const BUILT = fileURLToPath(new URL("../../.cache/rivals", import.meta.url));

const RIVALS: readonly Rival[] = [
  {
    name: "RustCrypto, wasm32",
    folder: "rust",
    command: "cargo",
    args: ["build", "--release", "--locked", "--quiet"],
    environment: { CARGO_TARGET_DIR: join(BUILT, "rust") },
    module: join(BUILT, "rust/wasm32-unknown-unknown/release/wpgate_bench_rival.wasm"),
    hint: "it needs Rust 1.88 and `rustup target add wasm32-unknown-unknown`; a ready module can be given with --peers DIR",
  },
  {
    name: "Go, wasip1",
    folder: "go",
    command: "go",
    args: ["build", "-trimpath", "-ldflags=-s -w", "-buildmode=c-shared", "-o", join(BUILT, "go.wasm"), "."],
    environment: { GOOS: "wasip1", GOARCH: "wasm", GOFLAGS: "-buildvcs=false" },
    module: join(BUILT, "go.wasm"),
    hint: "it needs Go 1.24; a ready module can be given with --peers DIR",
  },
];

export interface Peers {
  readonly partners: readonly CryptoPartner[];
  /** One sentence for each that is missing. */
  readonly missing: readonly string[];
}

/** All rivals that can be built here, and all modules in a folder. The compilers must be told how to compile before. */
export async function findPeers(folder: string | undefined, progress: (text: string) => void): Promise<Peers> {
  const partners: CryptoPartner[] = [];
  const missing: string[] = [];
  await mkdir(BUILT, { recursive: true });
  for (const rival of RIVALS) {
    progress(`building ${rival.name} (a first time takes minutes)`);
    const fault = await build(rival);
    if (fault === undefined) partners.push(await loadPeer(rival.name, rival.module));
    else missing.push(`${rival.name} takes no part: ${fault}; ${rival.hint}.`);
  }
  if (folder !== undefined) {
    for (const file of await modulesIn(folder)) partners.push(await loadPeer(basename(file), file));
  }
  return { partners, missing };
}

async function modulesIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".wasm"));
  if (names.length === 0) throw new Error(`--peers: no *.wasm in ${folder}`);
  return names.sort().map((name) => join(folder, name));
}

/** The fault, in one line. */
async function build({ folder, command, args, environment }: Rival): Promise<string | undefined> {
  const child = spawn(command, args, {
    cwd: join(SOURCES, folder),
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const output: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve) => {
    child.on("error", () => {
      resolve(`there is no ${command}`);
    });
    child.on("close", (code) => {
      const [line = "no reason given"] = Buffer.concat(output).toString().trim().split("\n");
      resolve(code === 0 ? undefined : `${command} says "${line}"`);
    });
  });
}
