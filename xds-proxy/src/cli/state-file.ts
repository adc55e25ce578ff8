/** What `wpgate verify --state` remembers: the trust state of each namespace, in one JSON object. */
import { parseTrustState } from "../envelope/state.ts";
import type { TrustState } from "../envelope/types.ts";
import { isRecord } from "../bytes/record.ts";
import { utf8 } from "../bytes/octets.ts";
import { ConfigError } from "../errors.ts";

/** @throws ConfigError */
export function parseStates(text: string, source: string): ReadonlyMap<string, TrustState> {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) throw new Error("not an object");
    return new Map(Object.entries(value).map(([ns, state]) => [ns, parseTrustState(utf8(JSON.stringify(state)))]));
  } catch (cause) {
    throw new ConfigError([{ path: source, message: "is not a state that wpgate verify has written" }], { cause });
  }
}

export function writeStates(states: ReadonlyMap<string, TrustState>): string {
  return `${JSON.stringify(Object.fromEntries(states), null, 2)}\n`;
}
