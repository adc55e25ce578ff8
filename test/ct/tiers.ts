/** The compilers of V8, each alone: what it is started with, and how to see that its code is what runs. */
import { runInThisContext } from "node:vm";
import type { WasmFunction } from "./module.ts";

export const TIERS = ["turbofan", "liftoff"] as const;

export type Tier = (typeof TIERS)[number];

/** `--liftoff --no-wasm-tier-up` is not enough: V8 11.3 optimises what is hot all the same. */
export const TIER_FLAGS: Readonly<Record<Tier, readonly string[]>> = {
  turbofan: ["--no-liftoff", "--no-wasm-tier-up", "--allow-natives-syntax"],
  liftoff: ["--liftoff-only", "--allow-natives-syntax"],
};

type Predicate = (wasmFunction: WasmFunction) => boolean;

/** Asks V8 who compiled a function, which must have run before: compilation is lazy. Needs the tier's flags. */
export function tierOf(wasmFunction: WasmFunction): Tier | "unknown" {
  const asks = (name: string): boolean => (runInThisContext(`(f) => %${name}(f)`) as Predicate)(wasmFunction);
  if (asks("IsLiftoffFunction")) return "liftoff";
  return asks("IsTurboFanFunction") ? "turbofan" : "unknown";
}
