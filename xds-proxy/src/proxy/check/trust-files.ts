/** The files that say whom to believe, read once at the start. */
import { readFileSync } from "node:fs";
import { decodeExchangeKeyPem, type ExchangeKeyFile } from "../../crypto/key-files.ts";
import { ConfigError, ParseError } from "../../errors.ts";
import { parsePin, type PinFile } from "../../owner/pin.ts";

/** @throws ConfigError */
export function readPin(path: string): PinFile {
  return parsePin(readText(path), path);
}

/** The key that opens what is sealed for this workload. @throws ConfigError */
export function readRecipientKey(path: string): ExchangeKeyFile {
  try {
    return decodeExchangeKeyPem(readText(path));
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw new ConfigError(
      [{ path, message: `holds no private key-exchange key (wpgate keygen --recipient): ${cause.message}` }],
      { cause },
    );
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError([{ path, message: `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? ""}` }], {
      cause,
    });
  }
}
