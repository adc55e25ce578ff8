/** The command line in this process, in a folder of its own, with a clock that stands still until it is moved. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "../../xds-proxy/src/cli/context.ts";
import { runCli } from "../../xds-proxy/src/cli/program.ts";
import { parseBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Whether a person looks at stdout. */
  readonly terminal?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Gets stderr as it is written, too. */
  readonly onStderr?: (text: string) => void;
}

export class Cli {
  readonly folder: string = mkdtempSync(join(tmpdir(), "wpgate-cli-"));
  nowMs: number = Date.parse("2030-01-01T00:00:00Z");

  async run(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
    const out = { stdout: "", stderr: "" };
    const context: CliContext = {
      cwd: this.folder,
      environment: options.environment ?? process.env,
      readStdin: () => Promise.resolve(Buffer.from(options.stdin ?? "")),
      stdout: (text) => (out.stdout += text),
      stderr: (text) => {
        out.stderr += text;
        options.onStderr?.(text);
      },
      colour: { stdout: options.terminal === true, stderr: false },
      nowMs: () => this.nowMs,
      signal: options.signal ?? new AbortController().signal,
    };
    return { code: await runCli(argv, context), ...out };
  }

  /** A run that must succeed. */
  async good(...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv);
    if (code !== 0) throw new Error(`wpgate ${argv.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** An owner's folder `team-a` and `pin.json`. */
  async init(...more: readonly string[]): Promise<void> {
    const names = ["--namespace", "team-a", "--mesh", "prod", "--contact", "mailto:a@example.com"];
    this.write("pin.json", await this.good("root", "init", "-C", "team-a", ...names, ...more));
  }

  /** The owner signs another content a minute later. */
  async publish(method: string, ...more: readonly string[]): Promise<NamespaceBundle> {
    this.pass(60);
    this.write("a.yaml", policyYaml("a", { method }));
    await this.good("sign", "-C", "team-a", "a.yaml", ...more);
    return this.bundle();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string): void {
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  bundle(): NamespaceBundle {
    return parseBundle(this.read("team-a/bundle.json"), "bundle.json").sets[0]!;
  }

  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An AuthorizationPolicy as YAML. */
export function policyYaml(name: string, more: { method?: string; action?: string } = {}): string {
  const { method = "GET", action = "ALLOW" } = more;
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}}
spec: {action: ${action}, rules: [{to: [{operation: {methods: [${method}]}}]}]}
`;
}
