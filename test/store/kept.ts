/** What a store is given in these tests. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import type { TrustState } from "../../xds-proxy/src/envelope/types.ts";
import type { KeptNamespace } from "../../xds-proxy/src/store/namespaces.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "wpgate-store-"));
}

export const STATE: TrustState = {
  ...{ ep: 3, minEp: 2, rootCd: "root-3" },
  ...{ setVer: "10", setCd: "set-10", freshVer: "20", freshCd: "fresh-20" },
  iatMax: 1_000,
};

/** Set and fresh of this version, with a bundle that tells which. */
export function keptAt(ver: string): KeptNamespace {
  const state = { ...STATE, setVer: ver, setCd: `set-${ver}`, freshVer: ver, freshCd: `fresh-${ver}` };
  return { state, bundle: { roots: ["r1", "r2"], fresh: `f${ver}`, set: `s${ver}`, envelopes: [`e${ver}`] } };
}

export function cluster(name: string, content: string, version = ""): Resource {
  const value = concat(stringField(1, name), bytesField(2, utf8(content)));
  return makeResource({ name, version, typeUrl: CLUSTER, value });
}
