/** Starts a process for each compiler and collects what they find. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, Message, Row } from "./tier-process.ts";
import { TIER_FLAGS } from "./tiers.ts";
import type { Tier } from "./tiers.ts";

export interface TierRun extends Job {
  readonly onProgress: (tier: Tier, name: string, done: number) => void;
  readonly onRow: (tier: Tier, row: Row) => void;
}

const PROGRAM = fileURLToPath(new URL("tier-process.ts", import.meta.url));

/** Rejects when the process ends in another way than by having done its job. */
export async function runTier({ onProgress, onRow, ...job }: TierRun): Promise<void> {
  const { tier } = job;
  const child = fork(PROGRAM, { execArgv: [...process.execArgv, ...TIER_FLAGS[tier]] });
  child.on("message", (message: Message) => {
    if (message.kind === "row") onRow(tier, message.row);
    else if (message.kind === "progress") onProgress(tier, message.name, message.done);
  });
  child.send(job);
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`the ${tier} process ended with ${signal ?? code ?? "nothing"}`));
    });
  });
}
