/** `wpgate fresh`: confirms that the set in the bundle is the current one, once or for as long as it runs. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "commander";
import { formatDurationSec } from "../../config/duration.ts";
import { ConfigError, UpstreamError } from "../../errors.ts";
import { encodeBundle } from "../../owner/bundle.ts";
import { signFresh } from "../../owner/publish.ts";
import type { CliContext } from "../context.ts";
import { refuseExpiredRoot, warnOfExpiry } from "../expiry.ts";
import { Hinted, reportFailure, usageError } from "../failure.ts";
import {
  dirOption,
  durationSec,
  example,
  outputOption,
  SIGNER_HELP,
  signerOptions,
  type SignerOptions,
} from "../options.ts";
import { openOwnerFolder, readBundle, readOwnPublished, withLock, writeBundle } from "../owner-folder.ts";
import { checkSigners, freshSignersFor, signersFor } from "../signers.ts";
import { note } from "../ui.ts";

interface Options extends SignerOptions {
  readonly dir: string;
  readonly for?: number;
  readonly watch?: true;
  readonly then?: string;
  readonly output: "text" | "bundle";
}

/** A renewal that failed is tried again after this part of the lifetime: there is time for nine more. */
const RETRY_PART = 20;

export function freshCommand(context: CliContext): Command {
  const [signer, publicKey] = signerOptions("fresh");
  const command = new Command("fresh")
    .summary("confirm that the set is the current one")
    .description(
      "Signs a short-lived statement that this set is the current one, and saves it in bundle.json. Without\n" +
        "it consumers stop to believe a set, so that nobody can keep an old one alive. The key for it may be\n" +
        "online: it can neither add nor drop an object. With --watch it is renewed at half of its life.",
    )
    .addOption(dirOption())
    .addOption(signer)
    .addOption(publicKey)
    .addOption(new Option("--for <time>", "how long it holds (default: the root's maximum)").argParser(durationSec))
    .option("--watch", "run on and renew it at half of its life; ends with Ctrl-C or SIGTERM")
    .option("--then <command>", "shell command after each renewal, such as one that applies the WasmPlugin")
    .addOption(outputOption(["text", "bundle"]))
    .action(async (options: Options) => {
      const lifetimeSec = await renew(context, options);
      if (options.watch) await watch(context, options, lifetimeSec);
    });
  return example(command, "wpgate fresh -C team-a", SIGNER_HELP);
}

/** @returns how long it holds, seconds */
async function renew(context: CliContext, options: Options): Promise<number> {
  const folder = openOwnerFolder(context, options.dir);
  const { bundle, lifetimeSec, ver } = await withLock(context, folder.path, async () => {
    const published = readOwnPublished(folder);
    refuseExpiredRoot(context, published);
    warnOfExpiry(context, published);
    const { root, set } = published;
    if (set === undefined) throw usageError("set", "there is none under the current root", "make one with wpgate sign");
    const signers = await signersOf(context, options);
    checkSigners(signers, "fresh", root.document);
    const { namespace: ns, mesh, trustDomain, contact, lifetimeSec: lifetimes } = folder.config;
    const { ep, maxFreshSec } = root.document;
    const freshSec = Math.min(options.for ?? maxFreshSec, maxFreshSec);
    const identity = { ...{ ns, mesh, trustDomain, ep }, sub: contact, lifetimeSec: lifetimes.cfg, freshSec };
    const fresh = await signFresh({ identity, nowMs: context.nowMs(), set, freshSigners: signers });
    const next = { ...readBundle(folder), fresh };
    writeBundle(folder, next);
    return { bundle: next, lifetimeSec: freshSec, ver: set.ver };
  });
  if (options.output === "bundle") context.stdout(`${encodeBundle([bundle])}\n`);
  note(context, `set ${ver} is fresh for ${formatDurationSec(lifetimeSec)}`);
  if (options.then !== undefined) await runThen(context, options.then);
  return lifetimeSec;
}

async function signersOf(context: CliContext, options: Options): ReturnType<typeof signersFor> {
  const folder = openOwnerFolder(context, options.dir);
  if (options.signer !== undefined) return await signersFor(context, folder, "fresh", options);
  return await freshSignersFor(context, folder, () => signersFor(context, folder, "cfg"));
}

/** Goes on whatever happens: what was signed before still holds for half of its life. */
async function watch(context: CliContext, options: Options, firstLifetimeSec: number): Promise<void> {
  let lifetimeSec = firstLifetimeSec;
  let waitSec = lifetimeSec / 2;
  while (await pause(waitSec, context.signal)) {
    try {
      lifetimeSec = await renew(context, options);
      waitSec = lifetimeSec / 2;
    } catch (error) {
      if (context.signal.aborted) break;
      reportFailure(error, context);
      waitSec = lifetimeSec / RETRY_PART;
      note(context, `trying again in ${formatDurationSec(waitSec)}`);
    }
  }
  note(context, "stopped; nothing renews the set any more");
}

/** Node's timers end at 2^31-1 ms. @returns false when it was interrupted */
async function pause(seconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(Math.min(seconds * 1000, 2 ** 31 - 1), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

async function runThen(context: CliContext, command: string): Promise<void> {
  const child = spawn("/bin/sh", ["-c", command], {
    ...{ cwd: context.cwd, env: context.environment, signal: context.signal },
    stdio: ["ignore", "inherit", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.on("error", (cause) => {
      reject(new ConfigError([{ path: "--then", message: "cannot be run" }], { cause }));
    });
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Hinted(
            new UpstreamError("UNAVAILABLE", `the command after the renewal ended with ${code ?? "a signal"}`),
            "the new fresh statement is in bundle.json, but was not handed on",
          ),
        );
    });
  });
}
