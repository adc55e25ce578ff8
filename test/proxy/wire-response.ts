/** A response of istiod as it comes from the wire. */
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { deltaOf } from "./istiod-resources.ts";

export interface WireResponse {
  readonly protocol: Protocol;
  readonly typeUrl: string;
  /** Also the version of everything in it. */
  readonly nonce: string;
  readonly contents: Readonly<Record<string, Uint8Array>>;
  readonly removed: readonly string[];
}

export function wireResponse({ protocol, typeUrl, nonce, contents, removed }: WireResponse): Uint8Array {
  const resources = Object.entries(contents).map(([name, value]) => {
    const any = concat(stringField(1, typeUrl), bytesField(2, value));
    return bytesField(2, protocol === "delta" ? deltaOf(name, nonce, typeUrl, value) : any);
  });
  const names = removed.map((name) => stringField(6, name));
  return concat(stringField(1, nonce), ...resources, stringField(4, typeUrl), stringField(5, nonce), ...names);
}
