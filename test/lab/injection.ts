/**
 * The sidecar injector of the real istiod: its template and values as Istio's chart has them, and the webhook by which
 * the API server asks it. Nothing runs the pods; they are what a user's Deployment comes to.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import { Authority, type KeyAndCertificate } from "../scenarios/certificates.ts";

const CHART = "manifests/charts/istio-control/istio-discovery";
/** What Istio's chart hands on to the template. */
const VALUES = ["global", "sidecarInjectorWebhook", "revision"];

export interface InjectionOptions {
  /** Beside Istio's own template `sidecar`, by name. */
  readonly templates?: Readonly<Record<string, string>>;
  /** For pods that name no template. */
  readonly defaultTemplates?: readonly string[];
}

/** What istiod reads, and its certificate. */
export interface Injection extends KeyAndCertificate {
  /** Of the certificate, PEM. */
  readonly authority: string;
  readonly config: string;
  readonly values: string;
}

export async function injectionOf({ templates, defaultTemplates }: InjectionOptions): Promise<Injection> {
  const chart = join(await istioModule(), CHART);
  const sidecar = await readFile(join(chart, "files/injection-template.yaml"), "utf8");
  const defaults = parse(await readFile(join(chart, "values.yaml"), "utf8")) as Record<string, Values>;
  const all = defaults["_internal_defaults_do_not_set"] ?? {};
  const values = {
    ...Object.fromEntries(VALUES.map((name) => [name, all[name]])),
    global: { ...(all["global"] as Values), hub: "registry.example.com/istio", tag: "1.32.0" },
    pilot: { cni: all["cni"], env: all["env"] },
  };
  const config = {
    ...{ policy: "enabled", defaultTemplates: defaultTemplates ?? ["sidecar"] },
    ...{ alwaysInjectSelector: [], neverInjectSelector: [], injectedAnnotations: {} },
    templates: { sidecar, ...templates },
  };
  const authority = await Authority.create();
  const issued = await authority.issue({ ip: "127.0.0.1", commonName: "istiod" });
  return {
    ...issued,
    authority: authority.certificate,
    config: JSON.stringify(config),
    values: JSON.stringify(values),
  };
}

type Values = Readonly<Record<string, unknown>>;

/** As Istio's chart has it for namespaces with the label `istio-injection`. */
export function injectionWebhook(url: string, authority: string): unknown {
  return {
    ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" },
    metadata: { name: "istio-sidecar-injector" },
    webhooks: [
      {
        name: "namespace.sidecar-injector.istio.io",
        clientConfig: { url, caBundle: Buffer.from(authority).toString("base64") },
        rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
        namespaceSelector: { matchLabels: { "istio-injection": "enabled" } },
        objectSelector: {
          matchExpressions: [{ key: "sidecar.istio.io/inject", operator: "NotIn", values: ["false"] }],
        },
        ...{ sideEffects: "None", failurePolicy: "Fail", admissionReviewVersions: ["v1"] },
      },
    ],
  };
}

/** The folder of the Go module that istiod is built from. */
async function istioModule(): Promise<string> {
  const args = ["mod", "download", "-C", projectFile("test/lab/stack"), "-json", "istio.io/istio"];
  const environment = { ...process.env, GOTOOLCHAIN: "local" };
  const output = await run({ file: "go", args, environment });
  if (output?.exitCode !== 0) throw new UpstreamError("UNAVAILABLE", `go mod download: ${output?.stderr ?? "no go"}`);
  return (JSON.parse(output.stdout) as { readonly Dir: string }).Dir;
}
