/**
 * The shortest list of removed and added lines between two texts (longest common subsequence). That takes quadratic time and
 * memory: what the texts have in common at both ends is left out first, and what is too long even then is shown as replaced.
 */

export interface DiffLine {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** 64 MiB of memory. */
const CELLS_MAX_COUNT = 16 * 1024 * 1024;

export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const start = commonStart(before, after);
  const end = commonStart(before.slice(start).reverse(), after.slice(start).reverse());
  const same = (text: string): DiffLine => ({ mark: " ", text });
  const middle = diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - end).map(same)];
}

function commonStart(before: readonly string[], after: readonly string[]): number {
  const at = before.findIndex((line, index) => line !== after[index]);
  return at < 0 ? before.length : at;
}

function diffMiddle(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  if ((before.length + 1) * (after.length + 1) > CELLS_MAX_COUNT)
    return [
      ...before.map((text): DiffLine => ({ mark: "-", text })),
      ...after.map((text): DiffLine => ({ mark: "+", text })),
    ];
  const lengths = commonLengths(before, after);
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  const out: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const removed = before[i];
    const added = after[j];
    if (removed !== undefined && removed === added) {
      out.push({ mark: " ", text: removed });
      i++;
      j++;
    } else if (removed !== undefined && (added === undefined || at(i + 1, j) >= at(i, j + 1))) {
      out.push({ mark: "-", text: removed });
      i++;
    } else if (added !== undefined) {
      out.push({ mark: "+", text: added });
      j++;
    }
  }
  return out;
}

/** `[i][j]`: how many lines the rests from `i` and `j` on have in common. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly Uint32Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    const [row, next] = [rows[i], rows[i + 1]];
    if (row === undefined || next === undefined) continue;
    for (let j = after.length - 1; j >= 0; j--)
      row[j] = before[i] === after[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
  }
  return rows;
}
