/** What the compiler calls on a failed check of its own. A trap means a bug in the filter, never bad input. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
