/** A process that is killed while it writes leaves a file that has all that it said was written, and nothing in half. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { Store } from "../../xds-proxy/src/store/store.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";
import { cluster, keptAt, newFolder } from "./kept.ts";

const ROUNDS = 14;
/** Two on each file. */
const WRITERS = ["ns-0", "ns-1"];
const KILL_WITHIN_MS = 60;
/** 56 processes are started. */
const STARTS_TIMEOUT_MS = 240_000;

const running: Writer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((writer) => writer.kill()));
});

test(
  "after SIGKILL at any moment floors, bundles and accepted resources are whole and not older than was said",
  async () => {
    const folders = [newFolder(), newFolder()];
    let kills = 0;
    const last = new Map<string, bigint>();
    for (let round = 0; round < ROUNDS; round++) {
      const writers = folders.flatMap((folder) => WRITERS.map((ns) => new Writer(folder, ns)));
      running.push(...writers);
      await Promise.all(writers.map((writer) => writer.ready));
      await Promise.all(writers.map((writer) => writer.begin()));
      for (const writer of writers) {
        await sleep(Math.random() * KILL_WITHIN_MS);
        expect(await writer.kill()).toBe("SIGKILL");
        kills++;
      }
      for (const { folder, ns, printed } of writers) {
        const store = Store.open(folder);
        const kept = store.namespaces().get(ns);
        const ver = kept?.state.setVer ?? "";
        expect(BigInt(ver)).toBeGreaterThanOrEqual(printed);
        expect(printed).toBeGreaterThan(last.get(folder + ns) ?? 0n);
        last.set(folder + ns, printed);
        expect(kept).toEqual(keptAt(ver));
        const version = store.typeVersion(ns, CLUSTER);
        expect(BigInt(version)).toBeGreaterThanOrEqual(printed);
        expect(store.accepted(ns, CLUSTER).map(({ value }) => Buffer.from(value))).toEqual(
          ["a", "b", "c"].map((name) => Buffer.from(cluster(name, version).value)),
        );
        store.close();
      }
    }
    expect(kills).toBe(56);
    for (const folder of folders) rmSync(folder, { recursive: true });
  },
  STARTS_TIMEOUT_MS,
);

class Writer {
  readonly folder: string;
  readonly ns: string;
  /** It is there, or has ended, which `kill` then tells. */
  readonly ready: Promise<unknown>;
  /** The last version that was. */
  printed = 0n;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #closed: Promise<unknown[]>;

  constructor(folder: string, ns: string) {
    this.folder = folder;
    this.ns = ns;
    const script = projectFile("test/store/crash-writer.ts");
    this.#child = spawn(process.execPath, ["--import", "tsx", script, folder, ns], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#closed = once(this.#child, "close");
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.ready = this.#nextLine();
    this.#lines.on("line", (line) => (this.printed = BigInt(line)));
  }

  /** Until its first version is on the disk. */
  async begin(): Promise<void> {
    const first = this.#nextLine();
    this.#child.stdin!.write("!");
    await first;
  }

  /** Returns the signal that ended it, after all that it printed was read. */
  async kill(): Promise<unknown> {
    this.#child.kill("SIGKILL");
    const [, signal] = await this.#closed;
    return signal;
  }

  async #nextLine(): Promise<void> {
    await Promise.race([once(this.#lines, "line"), this.#closed]);
  }
}
