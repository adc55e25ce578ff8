/** SPIFFE ids in a certificate that was verified: its URI subject alternative names. Pure. */

/** Node writes `TYPE:value, TYPE:value`, and puts a value in which anything but plain characters occurs into JSON quotes. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

/** @param subjectAltName - as Node gives it. @returns none when the text is not what Node writes */
export function spiffeIdsOf(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined) return [];
  const ids: string[] = [];
  let readTo = 0;
  for (const [entry, type, value = ""] of subjectAltName.matchAll(ENTRY)) {
    readTo += entry.length;
    // A quoted one holds what no SPIFFE id may.
    if (type === "URI" && value.startsWith("spiffe://")) ids.push(value);
  }
  return readTo === subjectAltName.length ? ids : [];
}
