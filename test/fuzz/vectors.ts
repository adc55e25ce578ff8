/** Seeds out of the envelope vectors of the conformance corpus. */
import { tryDecodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { decodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import type { WebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import type { CaseFile } from "../corpus/case.ts";
import { corpus } from "../corpus/corpus.ts";
import { unlessMalformed } from "./refusals.ts";

/** Longer ones are slow and say nothing that shorter ones do not. */
const SEED_MAX_BYTES = 2048;

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
};

export const cases: () => readonly CaseFile[] = once(() =>
  [...corpus().values()].filter((file) => JSON.stringify(file).length < 4 * SEED_MAX_BYTES),
);

export const texts: () => readonly string[] = once(() => {
  const all = cases().flatMap(({ roots, envelopes, set, fresh }) =>
    [...roots, ...envelopes, set ?? [], fresh ?? []].flat(),
  );
  return [...new Set(all)].filter((text) => text.length < SEED_MAX_BYTES);
});

export const envelopes: () => readonly Uint8Array[] = once(() =>
  texts().flatMap((text) => tryDecodeBase64Url(text) ?? []),
);

const messages: () => readonly WebpushMessage[] = once(() =>
  envelopes().flatMap((bytes) => unlessMalformed(() => decodeWebpushMessage(bytes)) ?? []),
);

export const claimTexts: () => readonly Uint8Array[] = once(() => messages().map(({ sender }) => sender.data));

/** Payloads that are not encrypted. */
export const documents: () => readonly Uint8Array[] = once(() =>
  messages().flatMap(({ data, contentEncoding }) => (contentEncoding === 0 ? [data] : [])),
);
