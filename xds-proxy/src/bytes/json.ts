/**
 * Strict JSON: RFC 8259 restricted to integers up to 2^53-1, unique member names, bounded depth, well-formed Unicode, and
 * nothing after the value. Recursive descent over the decoded text; recursion is bounded by `JSON_DEPTH_MAX`.
 *
 * Not implemented on purpose: fractions and exponents. Timing: not constant.
 */
import { ParseError } from "../errors.ts";
import { JSON_DEPTH_MAX } from "../gen/limits.ts";
import { decodeUtf8 } from "./octets.ts";

/** Objects are maps in the order of the text, so that no member name means anything to the runtime. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** `Array.isArray` does not see that a JSON value which is an array is one of JSON values. */
export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export interface JsonOptions {
  readonly allowNegative: boolean;
}

/** @throws ParseError JSON. */
export function parseStrictJson(bytes: Uint8Array, options: JsonOptions): JsonValue {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new ParseError("JSON", "not UTF-8");
  const scanner = new JsonScanner(text, options.allowNegative);
  const value = scanner.value(0);
  scanner.end();
  return value;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class JsonScanner {
  private readonly text: string;
  private readonly allowNegative: boolean;
  private at = 0;

  constructor(text: string, allowNegative: boolean) {
    this.text = text;
    this.allowNegative = allowNegative;
  }

  value(depth: number): JsonValue {
    this.skipWhiteSpace();
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth + 1);
      case "[":
        return this.array(depth + 1);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.integer();
    }
  }

  end(): void {
    if (this.at !== this.text.length) this.fail("something after the value");
  }

  private object(depth: number): JsonObject {
    this.enter(depth);
    const members = new Map<string, JsonValue>();
    if (this.closes("}")) return members;
    do {
      this.skipWhiteSpace();
      const name = this.string();
      if (members.has(name)) this.fail("a member name twice");
      this.skipWhiteSpace();
      this.expect(":");
      members.set(name, this.value(depth));
    } while (this.continues("}"));
    return members;
  }

  private array(depth: number): readonly JsonValue[] {
    this.enter(depth);
    const items: JsonValue[] = [];
    if (this.closes("]")) return items;
    do {
      items.push(this.value(depth));
    } while (this.continues("]"));
    return items;
  }

  private enter(depth: number): void {
    if (depth > JSON_DEPTH_MAX) this.fail("nested too deep");
    this.at++;
  }

  private closes(bracket: string): boolean {
    this.skipWhiteSpace();
    if (this.text[this.at] !== bracket) return false;
    this.at++;
    return true;
  }

  private continues(bracket: string): boolean {
    if (this.closes(bracket)) return false;
    this.expect(",");
    return true;
  }

  private string(): string {
    this.expect('"');
    let out = this.unescaped();
    if (this.text.charCodeAt(this.at) === QUOTE) {
      this.at++;
      return out;
    }
    do {
      this.expect("\\");
      out += this.escape() + this.unescaped();
    } while (this.text.charCodeAt(this.at) !== QUOTE);
    this.at++;
    if (LONE_SURROGATE.test(out)) this.fail("a lone surrogate");
    return out;
  }

  /** Up to a quote, a backslash, a control character or the end. */
  private unescaped(): string {
    const start = this.at;
    for (;;) {
      const char = this.text.charCodeAt(this.at);
      // Past the end it is NaN, which is not at least a space either.
      if (!(char >= SPACE) || char === QUOTE || char === BACKSLASH) return this.text.slice(start, this.at);
      this.at++;
    }
  }

  private escape(): string {
    const letter = this.text[this.at++] ?? "";
    if (letter === "u") return String.fromCharCode(Number.parseInt(this.match(HEX4), 16));
    return ESCAPES.get(letter) ?? this.fail("an unknown escape");
  }

  private integer(): number {
    const digits = this.match(INTEGER);
    const value = Number(digits);
    if (/[.eE0-9]/.test(this.text[this.at] ?? "")) this.fail("not an integer");
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.fail("an integer out of range");
    if (value < 0 && !this.allowNegative) this.fail("a negative number");
    return value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail("an unknown word");
    this.at += word.length;
    return value;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? this.fail("unexpected input");
    this.at += found.length;
    return found;
  }

  private expect(char: string): void {
    if (this.text[this.at] !== char) this.fail(`no ${char}`);
    this.at++;
  }

  private skipWhiteSpace(): void {
    for (;;) {
      const char = this.text.charCodeAt(this.at);
      if (char !== SPACE && char !== 0x0a && char !== 0x0d && char !== 0x09) return;
      this.at++;
    }
  }

  private fail(what: string): never {
    throw new ParseError("JSON", `${what} at offset ${this.at}`);
  }
}
