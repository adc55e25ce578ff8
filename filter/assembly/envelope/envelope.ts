/** Bytes to an unverified envelope (docs/envelope.md section 2, steps 1 to 3 of section 6): sizes and strict Protobuf of
 *  `webpush.WebpushMessage`. Nothing in the result is believed. */
import { View } from "../bytes/view";
import { decodedLength } from "../bytes/base64url";
import { Code } from "../gen/codes";
import { CLAIMS_MAX_BYTES, COSIGNERS_MAX_COUNT } from "../gen/limits";
import { equalsAscii } from "../wire/ascii";
import { decodeBase64Url } from "../wire/base64url";
import { FieldReader } from "../wire/protobuf";
import { Use, dataMaxBytes, envelopeMaxBytes } from "./use";

const TOKEN_TYPE = '{"typ":"JWT","alg":"ES256"}';

/** A `Vapid`. */
@final
export class Token {
  k: View = View.empty();
  claims: View = View.empty();
  signature: View = View.empty();
}

@final
export class Envelope {
  data: View = View.empty();
  contentEncoding: i32 = 0;
  /** The sender first, then the cosigners in their order; the claims are the sender's. */
  signers: Token[] = [];

  sender(): Token {
    return this.signers[0];
  }
}

@final
export class EnvelopeResult {
  constructor(
    readonly code: Code,
    /** Null unless `code` is OK. */
    readonly envelope: Envelope | null,
  ) {}
}

/** Reads an envelope's base64url text; the limits are those of the wanted use. SIZE, PROTO. */
export function readEnvelope(text: View, wanted: Use): EnvelopeResult {
  if (decodedLength(text.length) > envelopeMaxBytes(wanted)) return refused(Code.SIZE);
  const bytes = decodeBase64Url(text);
  const parser = new MessageParser();
  if (bytes == null || !parser.parse(bytes)) return refused(Code.PROTO);
  const envelope = parser.envelope;
  const tooLong =
    envelope.data.length > dataMaxBytes(wanted) ||
    envelope.sender().claims.length > CLAIMS_MAX_BYTES ||
    parser.cosignersCount > COSIGNERS_MAX_COUNT;
  return tooLong ? refused(Code.SIZE) : new EnvelopeResult(Code.OK, envelope);
}

function refused(code: Code): EnvelopeResult {
  return new EnvelopeResult(code, null);
}

/** Which singular fields a message has had; bit n is field n. */
@final
class Seen {
  private fields: u64 = 0;

  /** False when this field was there before. */
  first(field: i32): bool {
    const bit = (<u64>1) << field;
    const isFirst = (this.fields & bit) == 0;
    this.fields |= bit;
    return isFirst;
  }

  has(field: i32): bool {
    return (this.fields & ((<u64>1) << field)) != 0;
  }
}

@final
class MessageParser {
  readonly envelope: Envelope = new Envelope();
  cosignersCount: i32 = 0;
  private readonly seen: Seen = new Seen();

  parse(bytes: View): bool {
    this.envelope.signers.push(new Token());
    const fields = new FieldReader(bytes);
    while (fields.next()) if (!this.field(fields)) return false;
    return !fields.failed && this.seen.has(4);
  }

  private field(fields: FieldReader): bool {
    switch (fields.field) {
      case 6:
        return isVia(fields.bytes());
      case 16:
        return this.cosigner(fields.bytes());
      case 1:
      case 2:
      case 5:
        fields.text();
        break;
      case 3:
        this.envelope.data = fields.bytes();
        break;
      case 4:
        if (!this.sender(fields.bytes())) return false;
        break;
      case 7:
        this.envelope.contentEncoding = fields.int32();
        break;
      case 9:
        fields.int32();
        break;
      default:
        return false;
    }
    return this.seen.first(fields.field);
  }

  private sender(bytes: View): bool {
    return readToken(bytes, this.envelope.sender(), false);
  }

  /** Cosigners above the limit are checked and not kept. */
  private cosigner(bytes: View): bool {
    const token = new Token();
    if (!readToken(bytes, token, true)) return false;
    if (++this.cosignersCount <= COSIGNERS_MAX_COUNT) this.envelope.signers.push(token);
    return true;
  }
}

/** A cosigner has neither claims nor type of its own: it signs the sender's. */
function readToken(bytes: View, token: Token, isCosigner: bool): bool {
  const fields = new FieldReader(bytes);
  const seen = new Seen();
  while (fields.next()) {
    switch (fields.field) {
      case 4:
        token.k = fields.bytes();
        break;
      case 7:
        token.claims = fields.bytes();
        break;
      case 32:
        if (!isTokenType(fields.bytes())) return false;
        break;
      case 33:
        token.signature = fields.bytes();
        break;
      default:
        return false;
    }
    if (!seen.first(fields.field)) return false;
  }
  return !fields.failed && !(isCosigner && (seen.has(7) || seen.has(32)));
}

function isTokenType(type: View): bool {
  return type.length == 0 || equalsAscii(type, TOKEN_TYPE);
}

function isVia(bytes: View): bool {
  const fields = new FieldReader(bytes);
  const seen = new Seen();
  while (fields.next()) {
    if (fields.field == 1) fields.varint();
    else if (fields.field == 2) fields.text();
    else return false;
    if (!seen.first(fields.field)) return false;
  }
  return !fields.failed;
}
