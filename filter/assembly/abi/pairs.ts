// A map as Proxy-Wasm ABI v0.2.1 serialises it, used for headers and for maps among the properties:
//
//   count u32 | count × (name length u32, value length u32) | count × (name, NUL, value, NUL)      little-endian
import { View } from "../bytes/view";
import { u32At } from "./memory";

/** Names and values in their order; a repeated header is there as often as it came. */
@final
export class Pairs {
  readonly names: View[] = [];
  readonly values: View[] = [];

  /** Each value under `name`; hosts hand on header names in lower case. */
  all(name: View): View[] {
    const found: View[] = [];
    for (let i = 0; i < this.names.length; i++) if (this.names[i].equals(name)) found.push(this.values[i]);
    return found;
  }
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
