/** Inner responses: what the control plane sent, byte for byte. Only the names on its outside are looked at. */
import { concat } from "../bytes/octets.ts";
import { stringField } from "../bytes/protobuf.ts";
import { forEachField, text } from "../xds/resource.ts";
import type { Protocol } from "../xds/type-url.ts";
import type { OuterNames } from "./outer-response.ts";

/** The message of a response, which is the claim `rt` of its push. */
export const RESPONSE_MESSAGES: Readonly<Record<Protocol, string>> = {
  sotw: "envoy.service.discovery.v3.DiscoveryResponse",
  delta: "envoy.service.discovery.v3.DeltaDiscoveryResponse",
};

/** The same in both protocols. */
const FIELDS = { version: 1, typeUrl: 4, nonce: 5 } as const;

export interface InnerNames extends OuterNames {
  readonly typeUrl: string;
}

/** As Envoy reads them: of a field that comes twice, the last value counts.
 *  @throws ParseError PROTOBUF */
export function readInnerNames(raw: Uint8Array): InnerNames {
  const names = { typeUrl: "", version: "", nonce: "" };
  forEachField(raw, (field, content) => {
    if (field === FIELDS.typeUrl) names.typeUrl = text(content);
    else if (field === FIELDS.version) names.version = text(content);
    else if (field === FIELDS.nonce) names.nonce = text(content);
  });
  return names;
}

/** The response with the nonce and version of the stream that it came on. */
export function renamed(raw: Uint8Array, { nonce, version }: OuterNames): Uint8Array {
  return concat(raw, stringField(FIELDS.version, version), stringField(FIELDS.nonce, nonce));
}
