/** A container of a pod as a process here: its files lie in a folder, and the fixed ports of a pod's loopback are free ones. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { ready } from "./ready.ts";

const run = promisify(execFile);

export interface ContainerSpec {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly startupProbe?: { readonly exec: { readonly command: readonly string[] } };
}

export interface ContainerOptions {
  readonly spec: ContainerSpec;
  /** What the image starts, a file for Node. */
  readonly program: string;
  /** By their path in the container. */
  readonly files: Readonly<Record<string, string>>;
  /** Folders in the container that it may write to. */
  readonly folders: readonly string[];
  /** Ports of 127.0.0.1 in the place of addresses that arguments and files name. */
  readonly addresses: Readonly<Record<string, number>>;
}

/** Removes its files when it stops. */
export class Container {
  readonly process: GuardedProcess;
  /** A text of the container, as it must be here. */
  readonly here: (text: string) => string;

  private constructor(process: GuardedProcess, here: (text: string) => string) {
    this.process = process;
    this.here = here;
  }

  /** Resolves when the startup probe has succeeded. */
  static async start({ spec, program, files, folders, addresses }: ContainerOptions): Promise<Container> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-container-"));
    const changes = [
      ...Object.entries(addresses).map(([address, port]) => [address, `127.0.0.1:${port}`] as const),
      ...[...Object.keys(files), ...folders].map((path) => [path, join(folder, path)] as const),
    ];
    const here = (text: string): string => changes.reduce((t, [from, to]) => t.replaceAll(from, to), text);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), here(content), { mode: 0o600 });
    }
    const args = [program, ...(spec.args ?? []).map(here)];
    const process = new GuardedProcess({ file: globalThis.process.execPath, args, folder });
    const container = new Container(process, here);
    const [file = "", ...rest] = (spec.startupProbe?.exec.command ?? []).map(here);
    try {
      await ready(spec.name, process, async () => await run(file, rest).then(() => true));
      return container;
    } catch (error) {
      await container.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}
