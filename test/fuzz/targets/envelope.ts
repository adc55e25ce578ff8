import { fromBinary } from "@bufbuild/protobuf";
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { decodeInput, parseEnvelope } from "../../../xds-proxy/src/envelope/envelope.ts";
import type { UnverifiedEnvelope } from "../../../xds-proxy/src/envelope/envelope.ts";
import { WebpushMessageSchema } from "../../../xds-proxy/src/gen/proto/webpush_pb.js";
import { InstrumentedTestable } from "../instrumented.ts";
import { mutateProtobuf } from "../protobuf-mutation.ts";
import { codeName, codeOf } from "../refusals.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { envelopes } from "../vectors.ts";

/** The protobuf of an envelope: the same code and the same fields; what both accept, protobuf-es reads as the same. */
export const ENVELOPE: Target = {
  name: "envelope",
  seeds: envelopes,
  dictionary: ["\x0a", "\x12", "\x1a", "\x22", "\x2a", "\x32", "\x38", "\x48", '{"typ":"JWT","alg":"ES256"}'],
  maxBytes: 2048,
  memoryGrowthMaxPages: 16,
  mutate: mutateProtobuf,
  start,
};

const CFG = 2;

function start(): Runner {
  const module = new InstrumentedTestable();
  const parse = module.fn("parseEnvelopeText");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      const text = encodeBase64Url(input);
      module.begin();
      const code = codeName(parse(module.put(Buffer.from(text, "latin1")), text.length, CFG));
      let envelope: UnverifiedEnvelope | undefined;
      const expected = codeOf(() => (envelope = parseEnvelope(decodeInput(text, "cfg"), "cfg")));
      agree("an envelope", code, expected);
      if (envelope === undefined) return;
      const spelled = spell(envelope);
      agree("the fields", module.result().toString(), spelled);
      agree("the fields for protobuf-es", spellAll(thirdReading(input)), spellAll(envelope));
    },
  };
}

type Token = Pick<UnverifiedEnvelope["sender"], "k" | "data" | "tSignature">;

function spell({ data, contentEncoding, sender, cosigners }: UnverifiedEnvelope): string {
  const token = ({ k, data: claims, tSignature }: Token): readonly string[] =>
    [k, claims, tSignature].map(encodeBase64Url);
  return JSON.stringify([encodeBase64Url(data), contentEncoding, ...[sender, ...cosigners].map(token)]);
}

function spellAll(envelope: UnverifiedEnvelope): string {
  const { id, push, from, path, ttl } = envelope;
  const vias = path.map(({ time, vip }) => [String(time), withoutMark(vip)]);
  const carried = [id, push, from].map(withoutMark);
  return JSON.stringify([spell(envelope), carried, vias, ttl, encodeBase64Url(envelope.sender.tType)]);
}

/** protobuf-es takes a byte order mark away. */
function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, "");
}

function thirdReading(input: Uint8Array): UnverifiedEnvelope {
  const message = fromBinary(WebpushMessageSchema, Uint8Array.from(input));
  const { sender } = message;
  if (sender === undefined) throw new Error("no sender");
  return { ...message, sender };
}
