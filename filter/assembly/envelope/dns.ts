/** Names as docs/envelope.md section 1 restricts them. */
import { View } from "../bytes/view";

const LABEL_MAX_LENGTH = 63;
const NAME_MAX_LENGTH = 253;
const DOT: u8 = 0x2e;
const HYPHEN: u8 = 0x2d;

/** 1 to 63 characters of a-z, 0-9 and `-`, neither first nor last a `-`. */
export function isLabel(text: View): bool {
  if (text.length == 0 || text.length > LABEL_MAX_LENGTH) return false;
  if (text.at(0) == HYPHEN || text.at(text.length - 1) == HYPHEN) return false;
  for (let i = 0; i < text.length; i++) if (!isLabelCharacter(text.at(i))) return false;
  return true;
}

/** Labels joined by dots, at most 253 characters. */
export function isDnsName(text: View): bool {
  if (text.length > NAME_MAX_LENGTH) return false;
  let start = 0;
  for (let dot = text.indexOf(DOT); dot >= 0; dot = text.indexOf(DOT, start)) {
    if (!isLabel(text.slice(start, dot))) return false;
    start = dot + 1;
  }
  return isLabel(text.slice(start, text.length));
}

function isLabelCharacter(byte: u8): bool {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == HYPHEN;
}
