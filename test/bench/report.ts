/** How results are shown: a table for people, one JSON line for programs (stdout), progress on stderr. */
import { arch, cpus, platform, release } from "node:os";
import type { BenchResult } from "./bench.ts";

/** Enough to read a number rightly later. */
export function machine(): Readonly<Record<string, string | number>> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    os: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    openssl: process.versions.openssl,
  };
}

export function printTable(rows: BenchResult["table"]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const [i, row] of rows.entries()) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join("  "));
    if (i === 0) console.log(widths.map((width) => "-".repeat(width)).join("  "));
  }
}

export function printJson(bench: string, { ratios, absolute }: BenchResult): void {
  console.log(JSON.stringify({ bench, machine: machine(), ratios, absolute }));
}

/** Overwrites one line on a terminal; says nothing elsewhere. */
export function progressOn(bench: string): { readonly show: (text: string) => void; readonly end: () => void } {
  const { stderr } = process;
  const show = (text: string): void => {
    if (stderr.isTTY) stderr.write(`\r\u001b[2K${bench}: ${text}`);
  };
  return {
    show,
    end: () => {
      if (stderr.isTTY) stderr.write("\r\u001b[2K");
    },
  };
}
