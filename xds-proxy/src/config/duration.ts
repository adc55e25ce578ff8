/** Lengths of time as people write them in files and on the command line: `90s`, `15m`, `24h`, `90d`. */

const UNIT_SEC: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
]);

/** @returns whole seconds, at least 1; undefined for anything else than a number and one unit. */
export function parseDurationSec(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,8})([smhd])$/.exec(text);
  const unitSec = UNIT_SEC.get(match?.[2] ?? "");
  return match === null || unitSec === undefined ? undefined : Number(match[1]) * unitSec;
}

/** The shortest text with one unit, rounded down: 90_061 is `25h`, 259_200 is `3d`. */
export function formatDurationSec(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  const length = Math.abs(Math.trunc(seconds));
  if (length >= 3 * 86_400) return `${sign}${Math.trunc(length / 86_400)}d`;
  if (length >= 3 * 3600) return `${sign}${Math.trunc(length / 3600)}h`;
  if (length >= 3 * 60) return `${sign}${Math.trunc(length / 60)}m`;
  return `${sign}${length}s`;
}
