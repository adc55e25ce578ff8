import type { Implementation } from "./implementation.ts";
export function hostImplementation(): Implementation {
  throw new Error("later");
}
