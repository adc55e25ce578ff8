// ECDSA P-256 with SHA-256 by Envoy's foreign function `verify_signature`, which runs the host's native code.
//
// The host accepts more than we do (other digests and curves, bytes after the key), so all but signature and text is ours:
// the hash is a constant, the key is our SPKI prefix and the point that a root lists. Only status 0 with the bytes 08 01 is
// a yes. A call that fails is answered by the pure implementation, so the verdict never depends on which one was asked.
import { callForeignFunction, clockNs } from "../abi/hostcalls";
import { concat } from "../bytes/concat";
import { View } from "../bytes/view";
import { KeyTables } from "../envelope/key-tables";
import { PureVerifier, SignatureVerifier } from "../envelope/signature";
import { derSignature } from "./der";
import * as known from "./known-answer";

const NAME = View.utf8("verify_signature");
const SPKI_PREFIX = known.hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
const YES = known.hex("0801");

// Fields of VerifySignatureArguments.
const HASH_FUNCTION = known.hex("0a06736861323536");
const PUBLIC_KEY: u8 = 2;
const SIGNATURE: u8 = 3;
const TEXT: u8 = 4;

@final
class HostVerifier extends SignatureVerifier {
  private readonly pure: PureVerifier = new PureVerifier();

  verify(publicKey: View, message: View, signature: View): bool {
    const answer = askHost(publicKey, message, signature);
    return answer == Answer.None ? this.pure.verify(publicKey, message, signature) : answer == Answer.Yes;
  }
}

/** How signatures are verified in this VM, with the same verdict in any case. */
@final
export class Signatures {
  constructor(
    /** For a key that has no table. */
    readonly verifier: SignatureVerifier,
    /** Null where the host is faster all the same. */
    readonly tables: KeyTables | null,
  ) {}
}

/** The host's implementation where it exists, gives the known answers and is faster than ours. */
export function chooseSignatures(): Signatures {
  const pure = new PureVerifier();
  // The first one makes the multiples of the generator.
  pure.verify(known.publicKey(), known.message(), known.signature());
  const start = clockNs();
  const passes = hostKnowsAnswers();
  const middle = clockNs();
  if (!passes) return new Signatures(pure, new KeyTables());
  pure.verify(known.publicKey(), known.message(), known.signature());
  const hostNs = (middle - start) / KNOWN_ANSWERS;
  const pureNs = clockNs() - middle;
  const tables: KeyTables | null = hostNs * GAIN_OF_TABLES < pureNs ? null : new KeyTables();
  return new Signatures(hostNs < pureNs ? new HostVerifier() : pure, tables);
}

const KNOWN_ANSWERS: u64 = 4;
/** How much faster a signature is with a table, roughly (`npm run bench -- crypto`). */
const GAIN_OF_TABLES: u64 = 4;

function hostKnowsAnswers(): bool {
  const key = known.publicKey();
  return (
    askHost(key, known.message(), known.signature()) == Answer.Yes &&
    askHost(key, known.message(), known.otherSignature()) == Answer.Yes &&
    askHost(key, known.message(), known.wrongSignature()) == Answer.No &&
    askHost(key, known.wrongMessage(), known.signature()) == Answer.No
  );
}

export enum Answer {
  None = 0,
  No = 1,
  Yes = 2,
}

function askHost(publicKey: View, message: View, signature: View): Answer {
  return askHostDer(publicKey, message, derSignature(signature));
}

/** What the host says of a signature in DER. Conformance suites come in here too. */
export function askHostDer(publicKey: View, message: View, der: View): Answer {
  const spki = concat([SPKI_PREFIX, publicKey]);
  const reply = callForeignFunction(
    NAME,
    concat([HASH_FUNCTION, tag(PUBLIC_KEY, spki), spki, tag(SIGNATURE, der), der, tag(TEXT, message), message]),
  );
  if (!reply.ok) return Answer.None;
  return reply.bytes.equals(YES) ? Answer.Yes : Answer.No;
}

/** Tag and length of a length-delimited protobuf field. */
function tag(field: u8, value: View): View {
  const bytes: u8[] = [(field << 3) | 2];
  let rest = value.length;
  for (; rest >= 0x80; rest >>= 7) bytes.push(<u8>(rest | 0x80));
  bytes.push(<u8>rest);
  const out = new Uint8Array(bytes.length);
  out.set(bytes);
  return View.of(out);
}
