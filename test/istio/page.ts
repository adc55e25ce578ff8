/** A page of documentation as a story: its blocks of commands (`sh`) in order, and what a block of `text` right after one shows. */
export interface Step {
  /** The line of the page at which the commands begin. */
  readonly line: number;
  readonly commands: string;
  /** Undefined where the page does not say. */
  readonly output: string | undefined;
}

export function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(/^```sh\n([^]*?)^```\n(?:\n```text\n([^]*?)^```\n)?/gm)].map((match) => ({
    line: page.slice(0, match.index).split("\n").length + 1,
    commands: match[1] ?? "",
    output: match[2],
  }));
}

/** Whether the page shows this output: `…` stands for any text within a line, a line with nothing else for any lines. */
export function isShown(shown: string, output: string): boolean {
  const pattern = shown
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/^…\n/gm, String.raw`(?:.*\n)*`)
    .replaceAll("…", ".*");
  return new RegExp(`^${pattern}$`).test(output);
}

/** What changes nothing: while a change is on its way it can be asked again. */
export function onlyLooks({ commands }: Step): boolean {
  return commands.split("\n").every((line) => /^(?:curl |wpgate status |kubectl .*auth can-i |$)/.test(line));
}

/** A page shows an error where the commands end with one. */
export function endsWithError({ output = "" }: Step): boolean {
  return /^(?:Error |error: |wpgate: error: |The .* is invalid)/m.test(output);
}
