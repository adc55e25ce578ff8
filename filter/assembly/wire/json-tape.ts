/** Strict JSON as a flat list of nodes in the order of the text. Nothing is copied or unescaped before somebody asks for it,
 *  and one array, sized beforehand, holds it all.
 *
 *      node = kind | a | b                     three words, numbered by the first
 *      bool         0 or 1 | –
 *      integer      low | high half of its 64 bits
 *      string       place | length between the quotes, as spelled
 *      container    number of children | node behind the last one
 *
 *  Children follow their container; a member is the string of its name, then its value. */
import { sameBytes } from "../bytes/compare";
import { countSeparators } from "../bytes/scan";
import { View } from "../bytes/view";
import { hasAsciiAt } from "./ascii";
import { hasDuplicate } from "./duplicates";
import { unescape } from "./json-string";

export enum JsonKind {
  Null = 0,
  Bool = 1,
  Integer = 2,
  String = 3,
  Array = 4,
  Object = 5,
}

export const NODE_WORDS = 3;
const KIND_MASK: u32 = 7;
/** Marks a string that has escapes. */
const ESCAPED: u32 = 8;
/** Up to this many members, comparing every pair is cheaper than sorting. */
const PAIRWISE_MAX_COUNT = 20;

@final
export class JsonTape {
  private readonly words: StaticArray<u32>;
  private used: i32 = 0;

  constructor(readonly source: View) {
    // Every node but the first stands behind an opening bracket, a comma or a colon of its own.
    this.words = new StaticArray<u32>((1 + countSeparators(source.ptr, source.length)) * NODE_WORDS);
  }

  add(kind: JsonKind, a: u32, b: u32): i32 {
    const node = this.used;
    this.words[node] = kind;
    this.words[node + 1] = a;
    this.words[node + 2] = b;
    this.used = node + NODE_WORDS;
    return node;
  }

  addInteger(value: i64): void {
    this.add(JsonKind.Integer, <u32>value, <u32>(value >> 32));
  }

  addString(start: i32, length: i32, isEscaped: bool): void {
    const node = this.add(JsonKind.String, start, length);
    if (isEscaped) this.words[node] |= ESCAPED;
  }

  /** Ends a container whose last child was just added. */
  close(container: i32, count: i32): void {
    this.words[container + 1] = count;
    this.words[container + 2] = this.used;
  }

  kind(node: i32): JsonKind {
    return <JsonKind>(this.words[node] & KIND_MASK);
  }

  /** The first of a node's words; of a container, the number of its children. */
  first(node: i32): u32 {
    return this.words[node + 1];
  }

  integer(node: i32): i64 {
    return ((<i64>this.words[node + 2]) << 32) | (<i64>this.words[node + 1]);
  }

  /** The node behind this one and its children. */
  after(node: i32): i32 {
    return this.kind(node) >= JsonKind.Array ? this.words[node + 2] : node + NODE_WORDS;
  }

  /** A string's unescaped UTF-8. */
  text(node: i32): View {
    const start: i32 = this.words[node + 1];
    const raw = this.source.slice(start, start + this.words[node + 2]);
    return this.isEscaped(node) ? unescape(raw) : raw;
  }

  /** Whether a string is an ASCII literal. */
  textIs(node: i32, literal: string): bool {
    if (this.isEscaped(node)) return this.textIsSlowly(node, literal);
    return <i32>this.words[node + 2] == literal.length && hasAsciiAt(this.source, this.words[node + 1], literal);
  }

  /** Whether an object names a member twice. */
  hasDuplicateName(object: i32): bool {
    const count: i32 = this.first(object);
    const end = this.after(object);
    let someEscaped = false;
    for (let name = object + NODE_WORDS; name < end; name = this.after(name + NODE_WORDS)) {
      if (this.isEscaped(name)) someEscaped = true;
    }
    return someEscaped || count > PAIRWISE_MAX_COUNT ? hasDuplicate(this.names(object)) : this.hasEqualPair(object);
  }

  /** The member names of an object. */
  names(object: i32): View[] {
    const names = new Array<View>();
    const end = this.after(object);
    for (let name = object + NODE_WORDS; name < end; name = this.after(name + NODE_WORDS)) names.push(this.text(name));
    return names;
  }

  private isEscaped(node: i32): bool {
    return (this.words[node] & ESCAPED) != 0;
  }

  private textIsSlowly(node: i32, literal: string): bool {
    const text = this.text(node);
    return text.length == literal.length && hasAsciiAt(text, 0, literal);
  }

  private hasEqualPair(object: i32): bool {
    const end = this.after(object);
    for (let name = object + NODE_WORDS; name < end; name = this.after(name + NODE_WORDS)) {
      for (let other = object + NODE_WORDS; other < name; other = this.after(other + NODE_WORDS)) {
        if (this.isSameSpelling(name, other)) return true;
      }
    }
    return false;
  }

  private isSameSpelling(one: i32, other: i32): bool {
    const length = this.words[one + 2];
    if (length != this.words[other + 2]) return false;
    const text = this.source.ptr;
    return sameBytes(text + <usize>this.words[one + 1], text + <usize>this.words[other + 1], length);
  }
}
