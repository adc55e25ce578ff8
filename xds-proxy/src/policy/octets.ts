/** Texts as requests carry them: one character for each byte. */

/** The UTF-8 bytes of a Unicode text. */
export function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Whether RE2's `.+` matches the whole text: not empty, UTF-8, no line feed. */
export function isLine(text: string): boolean {
  if (text === "" || text.includes("\n")) return false;
  const bytes = Buffer.from(text, "latin1");
  return Buffer.compare(Buffer.from(bytes.toString("utf8"), "utf8"), bytes) === 0;
}
