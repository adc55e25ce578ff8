/** What a carrier between a wrapping and an unwrapping proxy can do to pushes, and what the unwrapping one calls it. */
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { decodeSigningKeyPem } from "../../xds-proxy/src/crypto/key-files.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { signStatement, type StatementOptions } from "../../xds-proxy/src/envelope/seal.ts";
import { encodeHeartbeat } from "../../xds-proxy/src/push/heartbeat.ts";
import { RESPONSE_MESSAGES } from "../../xds-proxy/src/push/inner-response.ts";
import { readOuterResponse, writeOuterResponse } from "../../xds-proxy/src/push/outer-response.ts";
import { HEARTBEAT, ROOTS, WEBPUSH_MESSAGE } from "../../xds-proxy/src/push/types.ts";
import { writeResponse } from "../../xds-proxy/src/xds/response.ts";
import { CLUSTER, ENDPOINTS, LISTENER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { nowSec, Owner } from "../scenarios/owner.ts";
import type { CarriedStream, Tamper } from "./harness/carrier.ts";
import type { ProxyTrust } from "./harness/proxy-config.ts";
import { NODE, resource } from "./scene.ts";

export interface Play {
  readonly trust: ProxyTrust;
  readonly protocol: Protocol;
  /** The first stream's messages, before the attack. */
  readonly before: readonly Uint8Array[];
  /** Metadata `wpgate-sid` of the stream. */
  readonly sid: string;
  readonly stream: CarriedStream;
}

/** Begins it; until then nothing is carried. @returns how it goes on */
export type Attack = (play: Play) => Promise<Tamper> | Tamper;

/** What the attacker does to the next message of this type, and to no other. */
function once(typeUrl: string, change: (message: Uint8Array, play: Play) => readonly Uint8Array[]): Attack {
  return (play) => {
    let done = false;
    return (message) => {
      if (done || typeOf(message, play) !== typeUrl) return [message];
      done = true;
      return change(message, play);
    };
  };
}

const typeOf = (message: Uint8Array, { protocol }: Play): string => readOuterResponse(message, protocol).typeUrl;

/** The same outer response with something else in it. */
function rewritten(
  message: Uint8Array,
  { protocol }: Play,
  change: Partial<ReturnType<typeof readOuterResponse>>,
): Uint8Array {
  const outer = { ...readOuterResponse(message, protocol), ...change };
  return writeOuterResponse({ ...outer, envelopes: outer.envelopes.map((envelope) => [envelope]) }, protocol);
}

/** What the control plane would have to send to open everything. */
const EVIL = resource(CLUSTER, "evil", "evil");

function forged(protocol: Protocol): Uint8Array {
  return writeResponse({ typeUrl: CLUSTER, version: "evil", nonce: "e", resources: [EVIL], removed: [] }, protocol);
}

/** A push as only the holder of a key can make it, in the place of the next one; whose sid and seq are those that are due. */
async function signed(play: Play, change: Partial<StatementOptions>): Promise<Uint8Array> {
  const { ns, mesh, trustDomain, ep } = play.trust.owner.root;
  const iatSec = nowSec();
  return await signStatement({
    ...{ use: "push", ns, mesh, trustDomain, ep, sub: "mailto:x@example.com", iatSec, expSec: iatSec + 300 },
    ...{ rt: RESPONSE_MESSAGES[play.protocol], name: NODE.id, sid: play.sid, seq: nextSeq(play) },
    ...{ data: forged(play.protocol), signers: [pushKey(play)] },
    ...change,
  });
}

function nextSeq({ before, protocol }: Play): string {
  return String(before.filter((message) => readOuterResponse(message, protocol).typeUrl !== ROOTS).length + 1);
}

function pushKey({ trust }: Play): SigningKey {
  return decodeSigningKeyPem(String(trust.files["push.pem"]));
}

function instead(typeUrl: string, change: (play: Play) => Partial<StatementOptions>): Attack {
  return async (play) => {
    const envelope = await signed(play, change(play));
    play.stream.inject(
      writeOuterResponse({ typeUrl, nonce: "e", version: "e", envelopes: [[envelope]] }, play.protocol),
    );
    return (message) => [message];
  };
}

function injected(bytes: (play: Play) => Promise<Uint8Array> | Uint8Array): Attack {
  return async (play) => {
    play.stream.inject(await bytes(play));
    return (message) => [message];
  };
}

export const CARRIER_ATTACKS: readonly (readonly [what: string, code: string, attack: Attack])[] = [
  ["a push left out", "SEQUENCE", once(CLUSTER, () => [])],
  ["a push twice", "SEQUENCE", once(CLUSTER, (message) => [message, message])],
  ["an older push again", "SEQUENCE", once(CLUSTER, (_, play) => [olderPush(play)])],
  ["two pushes in another order", "SEQUENCE", swapped()],
  ["a push under another type", "TYPE", once(CLUSTER, (m, play) => [rewritten(m, play, { typeUrl: LISTENER })])],
  ["a push as a heartbeat", "TYPE", once(CLUSTER, (m, play) => [rewritten(m, play, { typeUrl: WEBPUSH_MESSAGE })])],
  ["a heartbeat as a push", "TYPE", once(WEBPUSH_MESSAGE, (m, play) => [rewritten(m, play, { typeUrl: CLUSTER })])],
  ["two pushes in one response", "PROTO", once(CLUSTER, (m, play) => [doubled(m, play)])],
  ["a response without a push", "PROTO", once(CLUSTER, (m, play) => [rewritten(m, play, { envelopes: [] })])],
  ["an unsigned response", "PROTO", injected(({ protocol }) => forged(protocol))],
  ["a resource beside the push", "PROTO", once(CLUSTER, (m) => [Buffer.concat([m, bytesField(2, EVIL.any)])])],
  [
    "a removal beside the push",
    "PROTO",
    once(CLUSTER, (m) => [Buffer.concat([m, stringField(6, "a"), stringField(7, "x")])]),
  ],
  ["a flipped bit", "DIGEST", once(CLUSTER, (m) => [flipped(m)])],
  ["half a push", "PROTO", once(CLUSTER, (m) => [m.subarray(0, m.length / 2)])],
  ["bytes that are nothing", "PROTO", injected(() => Uint8Array.of(0xff, 0xff, 0xff))],
  ["an empty message", "PROTO", injected(() => new Uint8Array())],
  ["a push of another session", "SESSION", instead(CLUSTER, () => ({ sid: "AAAAAAAAAAAAAAAAAAAAAA" }))],
  ["a push for another node", "NAME", instead(CLUSTER, () => ({ name: NODE.id.replace("team-a", "team-b") }))],
  ["a push with a number ahead", "SEQUENCE", instead(CLUSTER, (play) => ({ seq: `${nextSeq(play)}0` }))],
  ["a push by a stranger", "KEY_UNKNOWN", instead(CLUSTER, () => ({ signers: [SigningKey.generate()] }))],
  [
    "a push by the mesh's other key",
    "KEY_ROLE",
    instead(CLUSTER, ({ trust }) => ({ signers: [trust.owner.keys.cfg] })),
  ],
  ["a push of another mesh", "AUDIENCE", instead(CLUSTER, () => ({ mesh: "mesh-2" }))],
  [
    "a push of last week",
    "EXPIRED",
    instead(CLUSTER, () => ({ iatSec: nowSec() - 604_800, expSec: nowSec() - 604_000 })),
  ],
  ["a forged heartbeat", "KEY_UNKNOWN", instead(WEBPUSH_MESSAGE, () => heartbeat([SigningKey.generate()]))],
  ["a heartbeat that has seen less", "SEQUENCE", instead(WEBPUSH_MESSAGE, (play) => heartbeat([pushKey(play)]))],
  [
    "roots of another namespace",
    "ROOT_INVALID",
    injected(async ({ protocol }) => rootsOf(await Owner.create({ ns: "team-b" }), protocol)),
  ],
  [
    "roots of nobody",
    "ROOT_INVALID",
    injected(({ protocol }) => writeOuterResponse({ typeUrl: ROOTS, nonce: "", version: "", envelopes: [] }, protocol)),
  ],
  ["everything withheld", "TIMEOUT", () => () => []],
  ["heartbeats withheld", "TIMEOUT", withheld(WEBPUSH_MESSAGE)],
  ["one heartbeat withheld", "SEQUENCE", once(WEBPUSH_MESSAGE, () => [])],
  ["one type withheld and the rest carried", "SEQUENCE", withheld(ENDPOINTS)],
];

function olderPush({ before, protocol }: Pick<Play, "before" | "protocol">): Uint8Array {
  const found = before.find((message) => readOuterResponse(message, protocol).typeUrl === CLUSTER);
  if (found === undefined) throw new Error("no push came before");
  return found;
}

function swapped(): Attack {
  return (play) => {
    let kept: Uint8Array | undefined;
    return (message) => {
      if (typeOf(message, play) === CLUSTER && kept === undefined) {
        kept = message;
        return [];
      }
      return kept === undefined ? [message] : [message, kept];
    };
  };
}

function withheld(typeUrl: string): Attack {
  return (play) => (message) => (typeOf(message, play) === typeUrl ? [] : [message]);
}

function doubled(message: Uint8Array, play: Play): Uint8Array {
  const { envelopes } = readOuterResponse(message, play.protocol);
  return rewritten(message, play, { envelopes: [...envelopes, ...envelopes] });
}

/** In the payload, which is the end of an envelope. */
function flipped(message: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(message);
  const at = Buffer.from(copy).lastIndexOf("the second form");
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function heartbeat(signers: readonly [SigningKey]): Partial<StatementOptions> {
  return { rt: HEARTBEAT, data: encodeHeartbeat(new Map()), signers };
}

function rootsOf({ roots }: Owner, protocol: Protocol): Uint8Array {
  const envelopes = roots.map((root) => [Buffer.from(root, "base64url")]);
  return writeOuterResponse({ typeUrl: ROOTS, nonce: "", version: "", envelopes }, protocol);
}
