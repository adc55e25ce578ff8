// The service account's key-exchange key, from the VM's environment: WPGATE_RECIPIENT = base64url of the private key
// (32 bytes) followed by the auth secret (16 bytes). The text is wiped; the key lives as long as the VM.
import { readVariable } from "../abi/environment";
import { wipe } from "../abi/memory";
import { Status } from "../abi/types";
import { View } from "../bytes/view";
import { derivePublicKey } from "../crypto/ecdh";
import { Recipient } from "../envelope/types";
import { decodeBase64Url } from "../wire/base64url";

const VARIABLE = "WPGATE_RECIPIENT";
const PRIVATE_KEY_BYTES: i32 = 32;
const PUBLIC_KEY_BYTES: i32 = 65;
const AUTH_BYTES: i32 = 16;

@final
export class RecipientReading {
  constructor(
    /** Null without the variable and when it is not a key. */
    readonly recipient: Recipient | null,
    /** The host did not say: without a key now does not mean without a key in another VM. */
    readonly unreadable: bool,
  ) {}
}

export function readRecipient(): RecipientReading {
  const variable = readVariable(VARIABLE);
  const unreadable = variable.status != Status.Ok && variable.status != Status.NotFound;
  const recipient = variable.status == Status.Ok ? parse(variable.value) : null;
  wipe(variable.value);
  return new RecipientReading(recipient, unreadable);
}

function parse(text: View): Recipient | null {
  const bytes = decodeBase64Url(text);
  if (bytes == null) return null;
  const recipient = fromBytes(bytes);
  if (recipient == null) wipe(bytes);
  return recipient;
}

/** Keeps `bytes`: the only copy of the key. */
function fromBytes(bytes: View): Recipient | null {
  if (bytes.length != PRIVATE_KEY_BYTES + AUTH_BYTES) return null;
  const privateKey = bytes.slice(0, PRIVATE_KEY_BYTES);
  const publicKey = View.of(new Uint8Array(PUBLIC_KEY_BYTES));
  if (!derivePublicKey(privateKey.ptr, publicKey.ptr)) return null;
  return new Recipient(privateKey, publicKey, bytes.slice(PRIVATE_KEY_BYTES, bytes.length));
}
