/** How the command line looks: colours, columns, `wpgate: error:` and `wpgate: hint:`. */
import { stripVTControlCharacters } from "node:util";
import type { CliContext, Terminal } from "./context.ts";

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;
export type Style = keyof typeof STYLES;
export type Paint = (style: Style, text: string) => string;

export function painter(colour: boolean): Paint {
  return (style, text) => {
    const [on, off] = STYLES[style];
    return colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
}

/** Rows of cells in columns of equal width, two spaces apart; the last column is left as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, visibleWidth(cell))));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === row.length - 1 ? cell : pad(cell, widths[at] ?? 0))).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - visibleWidth(text)));
}

function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

/**
 * Text that somebody else wrote, safe on a terminal: one line, no control characters, no change of direction.
 * Everything out of an envelope, a file or a peer goes through here before it is shown.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ""}}`,
  );
}

export function note(terminal: Terminal, text: string): void {
  if (terminal.quiet?.() === true) return;
  terminal.stderr(`wpgate: ${text}\n`);
}

export function warn(terminal: Terminal, text: string): void {
  terminal.stderr(`wpgate: ${painter(terminal.colour.stderr)("yellow", "warning:")} ${text}\n`);
}

export function showError(terminal: Terminal, what: string): void {
  terminal.stderr(`wpgate: ${painter(terminal.colour.stderr)("red", "error:")} ${what}\n`);
}

export function showHint(terminal: Terminal, what: string): void {
  terminal.stderr(`wpgate: hint: ${what}\n`);
}

export function printJson(context: CliContext, value: unknown): void {
  context.stdout(`${JSON.stringify(value, null, 2)}\n`);
}
