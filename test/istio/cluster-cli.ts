/** The command line at the real time, against the lab's API server, as the admin or as a ServiceAccount with few rights. */
import { createHash } from "node:crypto";
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import { Cli, policyYaml, type Run, type RunOptions } from "../cli/harness.ts";
import { Lab, type LabOptions } from "../lab/lab.ts";

export const NS = "team-a";
const MODULE = ["--url", "oci://registry.example.com/wpgate:1", "--sha256", sha256("module")];

export class ClusterCli {
  readonly lab: Lab;
  readonly cli: Cli = new Cli();

  private constructor(lab: Lab) {
    this.lab = lab;
    // Certificates, tokens and statements are all judged by one clock.
    Object.defineProperty(this.cli, "nowMs", { get: () => Date.now() + this.aheadMs });
  }

  /** How far the clock of the command line is ahead of everybody else's. */
  aheadMs: number = 0;

  /** An owner's folder `team-a`, its namespace, and `pin.json`. */
  static async start(options: LabOptions = {}): Promise<ClusterCli> {
    const cluster = new ClusterCli(await Lab.start(options));
    await cluster.cli.init();
    await cluster.lab.kubectl(["create", "namespace", NS]);
    return cluster;
  }

  async stop(): Promise<void> {
    await this.lab.stop();
    this.cli.remove();
  }

  /** @param user - a kubeconfig; the admin's when absent */
  async run(argv: readonly string[], options: RunOptions & { readonly user?: string } = {}): Promise<Run> {
    const { user = this.lab.api.kubeconfigOf("admin"), ...rest } = options;
    return await this.cli.run([...argv, "--kubeconfig", user], rest);
  }

  /** A run that must succeed. */
  async good(...argv: readonly string[]): Promise<Run> {
    const run = await this.run(argv);
    if (run.code !== 0) throw new Error(`wpgate ${argv.join(" ")} ended with ${run.code}: ${run.stderr}`);
    return run;
  }

  /** Signs a policy that allows this method, and returns the WasmPlugin that carries it. */
  async plugin(method: string, options: { sign?: readonly string[]; more?: readonly string[] } = {}): Promise<string> {
    this.cli.write("a.yaml", policyYaml("a", { method }));
    await this.cli.good("sign", "-C", NS, "a.yaml", ...(options.sign ?? []));
    return await this.cli.good("wasmplugin", `${NS}/bundle.json`, ...MODULE, ...(options.more ?? []));
  }

  async apply(plugin: string, ...argv: readonly string[]): Promise<Run> {
    return await this.run(["apply", ...argv], { stdin: plugin });
  }

  /** A kubeconfig of a ServiceAccount that may do this to WasmPlugins of the namespace. */
  async account(name: string, ...rules: readonly object[]): Promise<string> {
    const kubeconfig = await this.lab.kubeconfigOfAccount(NS, name);
    await this.allow(name, ...rules);
    return kubeconfig;
  }

  async allow(name: string, ...rules: readonly object[]): Promise<void> {
    const metadata = { name, namespace: NS };
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name };
    await this.lab.apply(
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules },
      {
        ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata, roleRef },
        subjects: [{ kind: "ServiceAccount", ...metadata }],
      },
    );
  }

  /** The object as the server has it. */
  async live(name = "wpgate"): Promise<LivePlugin> {
    const text = await this.lab.kubectl(["get", "wasmplugin", name, "-n", NS, "-o", "json", "--show-managed-fields"]);
    return JSON.parse(text) as LivePlugin;
  }
}

export interface LivePlugin {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly managedFields: readonly {
      readonly manager: string;
      readonly fieldsV1: Readonly<Record<string, unknown>>;
    }[];
  };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly url: string;
    readonly pluginConfig: {
      readonly sets: readonly { readonly set: string; readonly fresh: string; readonly envelopes: readonly string[] }[];
      readonly fresh?: Readonly<Record<string, string>>;
    };
  };
}

/** Paths of all fields that a manager owns, such as `spec.url`. */
export function ownedBy({ metadata }: LivePlugin, manager: string): readonly string[] {
  const fields = metadata.managedFields.filter((entry) => entry.manager === manager);
  return fields.flatMap(({ fieldsV1 }) => leaves(fieldsV1, [])).sort();
}

function leaves(fields: Readonly<Record<string, unknown>>, path: readonly string[]): readonly string[] {
  const members = Object.entries(fields).filter(([name]) => name.startsWith("f:"));
  if (members.length === 0) return [path.join(".")];
  return members.flatMap(([name, inner]) => leaves(isRecord(inner) ? inner : {}, [...path, name.slice(2)]));
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export const WASM_PLUGIN_RULE = { apiGroups: ["extensions.istio.io"], resources: ["wasmplugins"] } as const;
