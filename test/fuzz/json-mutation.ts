/** Mutations of JSON as text: a member or item goes, comes twice, or has another value; everything else stays as it was written. */
import type { Random } from "./random.ts";

interface Span {
  readonly start: number;
  readonly end: number;
}

const VALUES = [
  ...["null", "true", "false", "{}", "[]", '""', "0", "1", "-1", "-0", "01", "1.0", "1e3", "60", "4294967296"],
  ...["9007199254740991", "9007199254740992", "-9007199254740991", '"a"', '"\\u0061"', '"\\ud800"', '"é"', '"\\n"'],
  ...['"18446744073709551615"', '"18446744073709551616"', '"0"', '"01"', "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"],
];
const VALUE = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|\{\}|\[\]/g;

/** Undefined when there is nothing like a value in it. */
export function mutateJson(input: Uint8Array, random: Random): Uint8Array | undefined {
  const text = Buffer.from(input.buffer, input.byteOffset, input.length).toString("latin1");
  const spans = spansOf(text);
  if (spans.length === 0) return undefined;
  const { start, end } = random.pick(spans);
  const [before, value, after] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
  const out = edit({ before, value, after, text, spans }, random);
  return Buffer.from(out, "latin1");
}

interface Place {
  readonly before: string;
  readonly value: string;
  readonly after: string;
  readonly text: string;
  readonly spans: readonly Span[];
}

function edit({ before, value, after, text, spans }: Place, random: Random): string {
  const other = random.pick(spans);
  const otherValue = text.slice(other.start, other.end);
  switch (random.below(9)) {
    case 0:
      return before + random.pick(VALUES) + after;
    case 1:
      return before + otherValue + after;
    case 2:
      return `${before}${value},${value}${after}`;
    case 3:
      return before.replace(/,[^,]*$/, "") + after;
    case 4:
      return `${before}[${value}]${after}`;
    case 5:
      return `${before}${random.pick([" ", "\n", "\t", "\r"])}${value}${after}`;
    case 6:
      return before + nudged(value, random) + after;
    case 7:
      return `${before}${value}${after.replace(/[,\]}]/, (bracket) => `,${otherValue}${bracket}`)}`;
    default:
      return `${before}${value}${after.replace(/[,}]/, (bracket) => `,${otherValue}:${value}${bracket}`)}`;
  }
}

/** A number by one, a text by one character or an escape. */
function nudged(value: string, random: Random): string {
  if (/^-?[0-9]+$/.test(value)) return String(BigInt(value) + BigInt(random.below(3) - 1));
  if (!value.startsWith('"') || value.length < 3) return value;
  const at = 1 + random.below(value.length - 2);
  const char = value.charCodeAt(at);
  const escaped = `\\u${char.toString(16).padStart(4, "0")}`;
  return (
    value.slice(0, at) + (random.chance(50) ? escaped : random.pick(["", "a", "/", "-", "*"])) + value.slice(at + 1)
  );
}

function spansOf(text: string): readonly Span[] {
  return Array.from(text.matchAll(VALUE), ({ index, 0: { length } }) => ({ start: index, end: index + length }));
}
