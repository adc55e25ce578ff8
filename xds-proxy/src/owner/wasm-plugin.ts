/** The Istio WasmPlugin that carries bundles to Envoy (extensions.istio.io/v1alpha1). */
import { ConfigError, LimitError } from "../errors.ts";
import type { Bundle } from "./bundle.ts";
import { describeSet } from "./describe.ts";
import { RECIPIENT_VARIABLE } from "./recipient.ts";

export const FAIL_STRATEGIES = ["FAIL_RELOAD", "FAIL_CLOSE"] as const;
export type FailStrategy = (typeof FAIL_STRATEGIES)[number];
export const MATCH_MODES = ["SERVER", "CLIENT"] as const;
export type MatchMode = (typeof MATCH_MODES)[number];

/** Many objects of this size make etcd and every push slow. */
export const OBJECT_WARN_BYTES: number = 200 * 1024;
/** The API server refuses requests a little above this. */
export const OBJECT_MAX_BYTES: number = 1024 * 1024;

export interface WasmPluginOptions {
  readonly name: string;
  readonly namespace: string;
  readonly bundle: Bundle;
  /** `oci://`, `https://`, `http://` or `file:///`. */
  readonly url: string;
  /** Lower-case hex of the module with its pin; where the address is `oci://`, of the image's manifest. */
  readonly sha256: string;
  /** SERVER for sidecars, CLIENT for gateways. */
  readonly mode: MatchMode;
  readonly failStrategy: FailStrategy;
  /** Labels of the workloads; none means all of the namespace. */
  readonly selector: Readonly<Record<string, string>>;
}

export type WasmPlugin = Readonly<Record<string, unknown>>;

/** A JSON object that is ready for `kubectl apply --server-side`.
 *  @throws ConfigError for what Istio or the API server would refuse; LimitError above `OBJECT_MAX_BYTES`. */
export function wasmPlugin(options: WasmPluginOptions): WasmPlugin {
  const faults = [
    ...(/^(?:oci|https?):\/\/[^/\s]+\/?\S*$|^file:\/\/\/\S+$/.test(options.url)
      ? []
      : [{ path: "--url", message: "must be an oci://, https://, http:// or file:/// address" }]),
    ...(/^[0-9a-f]{64}$/.test(options.sha256)
      ? []
      : [{ path: "--sha256", message: "must be 64 digits of lower-case hex, as wpgate filter pin prints it" }]),
    ...([undefined, options.sha256].includes(imageDigestOf(options.url))
      ? []
      : [{ path: "--sha256", message: "is not the digest in --url" }]),
    ...(options.bundle.sets.length > 0 ? [] : [{ path: "bundle", message: "is empty" }]),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  return withSpec(options, {
    ...(Object.keys(options.selector).length === 0 ? {} : { selector: { matchLabels: options.selector } }),
    url: options.url,
    sha256: options.sha256,
    phase: "AUTHZ",
    failStrategy: options.failStrategy,
    // Without a match the plugin would also judge what the workload sends.
    match: [{ mode: options.mode }],
    // The key for what is sealed comes from the environment of the proxy's own container.
    ...(hasSealed(options.bundle) ? { vmConfig: { env: [{ name: RECIPIENT_VARIABLE, valueFrom: "HOST" }] } } : {}),
    pluginConfig: options.bundle,
  });
}

/** The owner's part of an object whose rest is the platform team's: for server-side apply, which leaves the rest alone. */
export function wasmPluginContent(options: Pick<WasmPluginOptions, "name" | "namespace" | "bundle">): WasmPlugin {
  return withSpec(options, { pluginConfig: options.bundle });
}

function withSpec({ name, namespace }: Pick<WasmPluginOptions, "name" | "namespace">, spec: object): WasmPlugin {
  const object = {
    ...{ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin" },
    ...{ metadata: { name, namespace }, spec },
  };
  const bytes = Buffer.byteLength(JSON.stringify(object));
  if (bytes > OBJECT_MAX_BYTES)
    throw new LimitError(
      `the WasmPlugin has ${bytes} bytes, more than the ${OBJECT_MAX_BYTES} that an object may have`,
    );
  return object;
}

/** The digest that an `oci://NAME@sha256:HEX` address ends with. */
export function imageDigestOf(url: string): string | undefined {
  return /^oci:\/\/.+@sha256:([0-9a-f]{64})$/.exec(url)?.[1];
}

function hasSealed({ sets }: Bundle): boolean {
  return sets.some(({ set }) => set !== undefined && describeSet(set).rcps.length > 0);
}
