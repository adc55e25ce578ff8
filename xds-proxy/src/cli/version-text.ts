/** Versions as people read them: they are times in milliseconds wherever the clock was right. */

/** 2001 to 2100: outside of it, the number was counted up and says nothing about a time. */
const TIME_MIN_MS = 978_307_200_000;
const TIME_MAX_MS = 4_102_444_800_000;

/** `1893456000000 (2030-01-01T00:00:00Z)`. */
export function versionText(ver: string): string {
  const ms = Number(ver);
  return ms >= TIME_MIN_MS && ms < TIME_MAX_MS ? `${ver} (${timeText(ms / 1000)})` : ver;
}

/** The last time that a date can hold. */
const DATE_MAX_SEC = 8_640_000_000_000;

/** Whole seconds, UTC; whatever somebody claims in an envelope. */
export function timeText(seconds: number): string {
  if (Math.abs(seconds) > DATE_MAX_SEC) return `${seconds} s`;
  return new Date(Math.trunc(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
