// A map as Proxy-Wasm ABI v0.2.1 serialises it, used for headers (`HeaderBlock`) and for maps among the properties (`Pairs`):
//
//   count u32 | count × (name length u32, value length u32) | count × (name, NUL, value, NUL)      little-endian
import { View } from "../bytes/view";
import { u32At } from "./memory";

/** Names and values in their order. */
@final
export class Pairs {
  readonly names: View[] = [];
  readonly values: View[] = [];
}

/** Null when `bytes` is not a serialised map. */
export function parsePairs(bytes: View): Pairs | null {
  if (bytes.length < 4) return null;
  const count = u32At(bytes, 0);
  if (count > <u32>(bytes.length - 4) / 8) return null;
  const pairs = new Pairs();
  let at = 4 + <i32>count * 8;
  for (let i = 0; i < <i32>count; i++) {
    const nameEnd = <u64>at + u32At(bytes, 4 + i * 8);
    const valueEnd = nameEnd + 1 + u32At(bytes, 8 + i * 8);
    if (valueEnd >= <u64>bytes.length) return null;
    pairs.names.push(bytes.slice(at, <i32>nameEnd));
    pairs.values.push(bytes.slice(<i32>nameEnd + 1, <i32>valueEnd));
    at = <i32>valueEnd + 1;
  }
  return pairs;
}

/** Headers, searched where they lie: of many, few are asked for. A repeated header is there as often as it came; names are
 *  in lower case. */
@final
export class HeaderBlock {
  private constructor(
    private readonly bytes: View,
    private readonly count: i32,
  ) {}

  /** Null when `bytes` is not a serialised map. */
  static of(bytes: View): HeaderBlock | null {
    if (bytes.length < 4) return null;
    const count = u32At(bytes, 0);
    if (count > <u32>(bytes.length - 4) / 8) return null;
    let end: u64 = 4 + <u64>count * 8;
    for (let i = 0; i < <i32>count; i++) {
      end += <u64>u32At(bytes, 4 + i * 8) + <u64>u32At(bytes, 8 + i * 8) + 2;
      if (end > <u64>bytes.length) return null;
    }
    return new HeaderBlock(bytes, <i32>count);
  }

  /** The first value under `name`. */
  first(name: View): View | null {
    let at = this.start;
    for (let i = 0; i < this.count; i++) {
      if (this.isNamed(i, at, name)) return this.value(i, at);
      at = this.after(i, at);
    }
    return null;
  }

  /** Each value under `name`. */
  all(name: View): View[] {
    const values: View[] = [];
    let at = this.start;
    for (let i = 0; i < this.count; i++) {
      if (this.isNamed(i, at, name)) values.push(this.value(i, at));
      at = this.after(i, at);
    }
    return values;
  }

  private get start(): i32 {
    return 4 + this.count * 8;
  }

  private nameLength(i: i32): i32 {
    return <i32>u32At(this.bytes, 4 + i * 8);
  }

  private valueLength(i: i32): i32 {
    return <i32>u32At(this.bytes, 8 + i * 8);
  }

  /** @param at where the pair begins */
  private isNamed(i: i32, at: i32, name: View): bool {
    return this.nameLength(i) == name.length && this.bytes.slice(at, at + name.length).equals(name);
  }

  private value(i: i32, at: i32): View {
    const start = at + this.nameLength(i) + 1;
    return this.bytes.slice(start, start + this.valueLength(i));
  }

  private after(i: i32, at: i32): i32 {
    return at + this.nameLength(i) + this.valueLength(i) + 2;
  }
}
