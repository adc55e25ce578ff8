/**
 * What an envelope says about itself. Nothing here is believed: for texts that were just signed or that `published.ts`
 * has verified.
 */
import { decodeBase64Url } from "../bytes/base64url.ts";
import { digestOf } from "../crypto/sha256.ts";
import { readClaims, type Claims } from "../envelope/claims.ts";
import { decodeWebpushMessage } from "../envelope/format.ts";
import { parseSet } from "../envelope/documents.ts";

export interface SignedTimes {
  readonly ep: number;
  readonly iatSec: number;
  readonly expSec: number;
}

/** One statement of an object; sealed objects have one for each recipient. */
export interface PublishedPart extends SignedTimes {
  readonly text: string;
  readonly cd: string;
  readonly rcp?: string;
}

export interface PublishedSet extends SignedTimes {
  readonly text: string;
  readonly ver: string;
  readonly cd: string;
  readonly rcps: readonly string[];
}

export interface Described {
  readonly claims: Claims;
  /** As it travels: the ciphertext, when it is sealed. */
  readonly data: Uint8Array;
}

/** @throws ParseError */
export function describe(text: string): Described {
  const { data, sender } = decodeWebpushMessage(decodeBase64Url(text));
  return { claims: readClaims(sender.data), data };
}

/** @throws ParseError */
export function describeStatement(text: string): PublishedPart {
  const { claims, data } = describe(text);
  return {
    ...{ text, cd: digestOf(data), ep: claims.ep, iatSec: claims.iat, expSec: claims.exp },
    ...(claims.rcp !== undefined && { rcp: claims.rcp }),
  };
}

/** @throws ParseError */
export function describeSet(text: string): PublishedSet {
  const { claims, data } = describe(text);
  return {
    ...{ text, ver: claims.ver ?? "0", cd: digestOf(data), rcps: parseSet(data).rcps },
    ...{ ep: claims.ep, iatSec: claims.iat, expSec: claims.exp },
  };
}
