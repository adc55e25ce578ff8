/** How differences of policies look on a terminal. */
import type { Comparison } from "../owner/compare.ts";
import type { DiffLine } from "../owner/line-diff.ts";
import { displayName } from "../owner/object-name.ts";
import { printable, type Paint, type Style } from "./ui.ts";

const STYLES: Readonly<Record<DiffLine["mark"], Style>> = { "+": "green", "-": "red", " ": "dim" };
const MARKS = { added: "+", removed: "-", changed: "~" } as const;

/** Lines without their ends. */
export function comparisonLines({ root, objects }: Comparison, paint: Paint): readonly string[] {
  const line = ({ mark, text }: DiffLine): string => paint(STYLES[mark], `    ${mark} ${printable(text)}`);
  const rootLines = root.length === 0 ? [] : [paint("bold", "~ root"), ...root.map(line)];
  const objectLines = objects.flatMap((object) => [
    paint("bold", `${MARKS[object.kind]} ${printable(displayName(object))}${object.sealed ? " (sealed)" : ""}`),
    ...object.lines.map(line),
  ]);
  return [...rootLines, ...objectLines];
}
