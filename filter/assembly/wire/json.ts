/** Values of strict JSON (json-parser.ts says what that is), made when they are asked for. */
import { View } from "../bytes/view";
import { parseTape } from "./json-parser";
import { JsonKind, JsonTape, NODE_WORDS } from "./json-tape";

export { JsonKind };

/** The value that `text` spells, or null when it is not strict JSON. Never traps. It refers to the memory of `text`. */
export function parseJson(text: View, allowNegative: bool): Json | null {
  const tape = parseTape(text, allowNegative);
  return tape != null ? new Json(tape, 0) : null;
}

/** A property that the kind does not have is 0, false or empty. */
@final
export class Json {
  readonly kind: JsonKind;
  private textOnce: View | null = null;
  private itemsOnce: Json[] | null = null;
  private keysOnce: View[] | null = null;

  constructor(
    private readonly tape: JsonTape,
    private readonly node: i32,
  ) {
    this.kind = tape.kind(node);
  }

  get integer(): i64 {
    return this.kind == JsonKind.Integer ? this.tape.integer(this.node) : 0;
  }

  get bool(): bool {
    return this.kind == JsonKind.Bool && this.tape.first(this.node) != 0;
  }

  /** String: its unescaped UTF-8. */
  get text(): View {
    const known = this.textOnce;
    if (known != null) return known;
    const text = this.kind == JsonKind.String ? this.tape.text(this.node) : View.empty();
    this.textOnce = text;
    return text;
  }

  /** Array: number of items. Object: number of members. */
  get size(): i32 {
    return this.kind >= JsonKind.Array ? this.tape.first(this.node) : 0;
  }

  /** Array: the items. Object: the member values. */
  get items(): Json[] {
    const known = this.itemsOnce;
    if (known != null) return known;
    const items = this.readItems();
    this.itemsOnce = items;
    return items;
  }

  /** Object: the member names, unescaped, in the order of `items`. */
  get keys(): View[] {
    const known = this.keysOnce;
    if (known != null) return known;
    const keys = this.kind == JsonKind.Object ? this.tape.names(this.node) : [];
    this.keysOnce = keys;
    return keys;
  }

  /** The member of an Object with this (ASCII) name; null when there is none and for every other kind. */
  get(name: string): Json | null {
    if (this.kind != JsonKind.Object) return null;
    const end = this.tape.after(this.node);
    for (let key = this.node + NODE_WORDS; key < end; key = this.tape.after(key + NODE_WORDS)) {
      if (this.tape.textIs(key, name)) return new Json(this.tape, key + NODE_WORDS);
    }
    return null;
  }

  /** Whether this is a String and equal to an ASCII literal. */
  textIs(literal: string): bool {
    return this.kind == JsonKind.String && this.tape.textIs(this.node, literal);
  }

  private readItems(): Json[] {
    const items = new Array<Json>();
    if (this.kind < JsonKind.Array) return items;
    const step = this.kind == JsonKind.Object ? NODE_WORDS : 0;
    const end = this.tape.after(this.node);
    for (let item = this.node + NODE_WORDS + step; item < end; item = this.tape.after(item) + step) {
      items.push(new Json(this.tape, item));
    }
    return items;
  }
}
