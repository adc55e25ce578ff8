/** Configurations of `wpgate proxy` for tests, in all modes, with the files that they name: keys, roots, pin. */
import { encodeSigningKeyPem } from "../../../xds-proxy/src/crypto/key-files.ts";
import { SigningKey } from "../../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { encodeBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { newKeys, Owner, pinOf } from "../../scenarios/owner.ts";
import type { ProxyOptions } from "./proxy-process.ts";

/** Whom proxies of one mesh believe, and what they sign with. */
export interface ProxyTrust {
  /** Of the root namespace. */
  readonly owner: Owner;
  readonly files: Readonly<Record<string, string>>;
}

export interface ProxyPlace {
  readonly mode: "check" | "unwrap" | "wrap" | "wrap+unwrap";
  /** `127.0.0.1:PORT` or `unix:PATH`. */
  readonly upstream: string;
  readonly listen: string;
  /** Folder; one inside the process's own when absent, which goes with it. */
  readonly state?: string;
  /** Between signs of life; 30 when absent. */
  readonly heartbeatSec?: number;
  readonly limits?: Readonly<Record<string, number>>;
  readonly logLevel?: string;
}

/**
 * The pin says who may sign pushes, and asks for no policies: with owners it does, and then nothing is let through before
 * their statements have come.
 * @param owners - of namespaces whose roots are pinned as well
 */
export async function proxyTrust(...owners: readonly Owner[]): Promise<ProxyTrust> {
  const keys = newKeys();
  const push = SigningKey.generate();
  const owner = await Owner.create({
    ...{ ns: "istio-system", keys },
    root: {
      keys: [
        ...(["root", "cfg", "fresh"] as const).map((role) => ({ publicKey: keys[role].publicKey, roles: [role] })),
        { publicKey: push.publicKey, roles: ["push"] },
      ],
    },
  });
  const pin = JSON.parse(pinOf([owner, ...owners], owner.ns)) as object;
  return {
    owner,
    files: {
      "pin.json": JSON.stringify({ ...pin, role: owners.length > 0 ? "policy" : "ads" }),
      "push.pem": encodeSigningKeyPem(push),
      "bundle.json": encodeBundle([await owner.bundle({ policies: [] })]),
    },
  };
}

/** For `ProxyProcess.start`. Nobody has to show who they are: plaintext on loopback. */
export function proxyOptions(trust: ProxyTrust, place: ProxyPlace): Pick<ProxyOptions, "config" | "files"> {
  const { mode, upstream, listen, state = "state", heartbeatSec = 30, limits, logLevel = "warn" } = place;
  const wraps = mode.includes("wrap") && mode !== "unwrap";
  const unwraps = mode.includes("unwrap");
  return {
    files: trust.files,
    config: {
      ...{ mode, upstream: { address: upstream }, listen: [{ address: listen }], state },
      ...(mode !== "wrap" && { pin: "pin.json" }),
      ...(wraps && {
        identity: { mtls: false, upstream: "none" },
        wrap: { key: "push.pem", bundle: "bundle.json", contact: "mailto:mesh@example.com", heartbeatSec },
      }),
      ...(unwraps && { unwrap: { heartbeatSec } }),
      ...(limits && { limits }),
      log: { level: logLevel },
    },
  };
}
