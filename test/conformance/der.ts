/** Strict DER of an ECDSA signature (X.690 section 10) to r and s of 32 bytes each; undefined for anything else. */
export function signatureFromDer(der: Uint8Array): Uint8Array | undefined {
  const digits = Buffer.from(der).toString("hex");
  const sequence = /^30(..)02(..)((?:..)*)$/.exec(digits);
  if (sequence === null || Number(`0x${sequence[1]}`) !== der.length - 2) return undefined;
  const rest = sequence[3]!;
  const rDigits = 2 * Number(`0x${sequence[2]}`);
  const second = /^02(..)((?:..)*)$/.exec(rest.slice(rDigits));
  if (second === null || second[2]!.length !== 2 * Number(`0x${second[1]}`)) return undefined;
  const numbers = [rest.slice(0, rDigits), second[2]!].map(unsigned32);
  return numbers.includes(undefined) ? undefined : Uint8Array.from(Buffer.from(numbers.join(""), "hex"));
}

/** A minimal, positive INTEGER of at most 32 bytes as 64 digits. */
function unsigned32(digits: string): string | undefined {
  return /^(?:00|(?!00)[0-7].(?:..){0,31}|00(?=[89a-f])(?:..){1,32})$/.test(digits)
    ? digits.replace(/^00(?=..)/, "").padStart(64, "0")
    : undefined;
}
