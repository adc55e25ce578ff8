/** A shell in which commands are pasted one after the other: folder and exported variables stay from one to the next. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Pasted {
  readonly exitCode: number;
  /** stdout and stderr, as on a terminal. */
  readonly output: string;
}

export class Shell {
  readonly folder: string;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(folder: string, environment: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#environment = environment;
  }

  /** @param programs - by name: a file, or a script for /bin/sh where it has several lines */
  static async create(
    programs: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>>,
  ): Promise<Shell> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-shell-"));
    const shell = new Shell(folder, {
      ...environment,
      HOME: join(folder, "home"),
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
    });
    for (const name of ["home", "bin", "work"]) await mkdir(join(folder, name));
    for (const [name, content] of Object.entries(programs)) {
      const path = join(folder, "bin", name);
      if (!content.includes("\n")) await symlink(content, path);
      else await writeFile(path, content);
      await chmod(path, 0o755);
    }
    return shell;
  }

  async paste(commands: string): Promise<Pasted> {
    const exports = join(this.folder, "exports");
    const before = existsSync(exports) ? `source ${exports}\n` : "";
    const child = spawn("bash", ["-euo", "pipefail", "-c", `exec 2>&1\n${before}${commands}\nexport -p > ${exports}`], {
      ...{ cwd: join(this.folder, "work"), env: this.#environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode: exitCode ?? -1, output };
  }

  /** Puts a file into the home folder. */
  async write(path: string, content: string): Promise<void> {
    const file = join(this.folder, "home", path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
