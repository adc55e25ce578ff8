/** What a root lets a key sign. */
export const ROLES = ["root", "cfg", "fresh", "push"] as const;
export type Role = (typeof ROLES)[number];
