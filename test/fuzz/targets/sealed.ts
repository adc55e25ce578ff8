import { concat } from "../../../xds-proxy/src/bytes/octets.ts";
import { ExchangeKey } from "../../../xds-proxy/src/crypto/ecdh-p256.ts";
import { openMessage } from "../../../xds-proxy/src/crypto/message-encryption.ts";
import { sealRecord } from "../sealing.ts";
import { reader, senderKey, signingKey } from "../../corpus/keys.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { envelopes } from "../vectors.ts";
import { decodeWebpushMessage } from "../../../xds-proxy/src/envelope/format.ts";
import { unlessMalformed } from "../refusals.ts";

const RAW = 0;
const RECIPIENT = reader("a");
const SIGNER = signingKey("cfg").publicKey.subarray(1);

/** Bodies of sealed statements: the same are opened, to the same text. The first byte of an input says what the rest is: a body
 *  as it travels, or the plaintext of a record that is encrypted here, so that mutations reach what lies behind the tag. */
export const SEALED: Target = {
  name: "sealed",
  seeds: () => [
    ...bodies().map((body) => concat(Uint8Array.of(RAW), body)),
    ...["\x02", "text\x02", "text\x02\0\0\0", "text\x01", "", "\0\0", "text\n{}\x02"].map((text) =>
      Buffer.from(`\x01${text}`),
    ),
  ],
  dictionary: ["\x02", "\x01", "\0", "\0\0\0\0", "\x41", "\x04", signingKey("cfg").publicKey, senderKey("a").publicKey],
  maxBytes: 700,
  memoryGrowthMaxPages: 16,
  start,
};

function bodies(): readonly Uint8Array[] {
  return envelopes().flatMap((bytes) => {
    const message = unlessMalformed(() => decodeWebpushMessage(bytes));
    return message?.contentEncoding === 1 ? [message.data] : [];
  });
}

function start(): Runner {
  const module = new InstrumentedTestable();
  const open = module.fn("openSealedBody");
  const key = ExchangeKey.fromRaw(RECIPIENT.raw);
  const keys = concat(RECIPIENT.raw, RECIPIENT.p256dh, RECIPIENT.auth, SIGNER);
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      const body = input[0] === RAW ? input.subarray(1) : sealRecord(input.subarray(1), RECIPIENT);
      module.begin();
      const opened = open(module.put(body), body.length, module.put(keys)) === 1;
      const message = openMessage({ key, auth: RECIPIENT.auth }, body);
      const expected = message && Buffer.compare(message.sender.subarray(1), SIGNER) !== 0 ? message.text : undefined;
      agree("a body is opened", opened, expected !== undefined);
      if (expected) agree("the text", Buffer.compare(module.result(), expected), 0);
    },
  };
}
