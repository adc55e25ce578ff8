/** A module that is never shipped: it puts signatures before the host's `verify_signature` exactly as the filter does, and
 *  logs the verdicts. The plugin's configuration is a row of cases, numbers little-endian:
 *
 *    encoding u8: 0 DER, 1 r ‖ s | public key, 65 bytes | signature length u16, signature | message length u32, message */
import "./abi/abort";
import { getBuffer, log } from "./abi/hostcalls";
import { u32At } from "./abi/memory";
import { BufferType, LogLevel } from "./abi/types";
import { View } from "./bytes/view";
import { derSignature } from "./plugin/der";
import { Answer, askHostDer } from "./plugin/host-signature";

export { malloc } from "./abi/memory";

const PUBLIC_KEY_BYTES = 65;
const SIGNATURE_BYTES = 64;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_context_create(contextId: u32, parentContextId: u32): void {}

export function proxy_on_vm_start(rootContextId: u32, configurationLength: i32): bool {
  return true;
}

/** Logs `verdicts:` and a character for each case: 1 accepted, 0 refused, ? no answer. */
export function proxy_on_configure(rootContextId: u32, configurationLength: i32): bool {
  const cases = getBuffer(BufferType.PluginConfiguration, configurationLength).bytes;
  let verdicts = "";
  for (let at = 0; at < cases.length;) {
    const isRaw = cases.at(at) == 1;
    const key = cases.slice(at + 1, at + 1 + PUBLIC_KEY_BYTES);
    at += 1 + PUBLIC_KEY_BYTES;
    const signatureEnd = at + 2 + ((<i32>cases.at(at)) | ((<i32>cases.at(at + 1)) << 8));
    const signature = cases.slice(at + 2, signatureEnd);
    const messageEnd = signatureEnd + 4 + <i32>u32At(cases, signatureEnd);
    verdicts += verdict(key, cases.slice(signatureEnd + 4, messageEnd), signature, isRaw);
    at = messageEnd;
  }
  log(LogLevel.Warn, "verdicts:" + verdicts);
  return true;
}

function verdict(key: View, message: View, signature: View, isRaw: bool): string {
  if (isRaw && signature.length != SIGNATURE_BYTES) return "0";
  const answer = askHostDer(key, message, isRaw ? derSignature(signature) : signature);
  return answer == Answer.Yes ? "1" : answer == Answer.No ? "0" : "?";
}
