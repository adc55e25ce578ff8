/** What the demo shows: one line for each step, as soon as it is known. */

/** Where the demo writes to; the command line says how it looks. */
export interface Screen {
  readonly write: (text: string) => void;
  readonly paint: (style: "bold" | "dim" | "red" | "green" | "yellow" | "cyan", text: string) => string;
}

export interface Step {
  /** What was tried. */
  readonly what: string;
  /** What Envoy did. */
  readonly envoy: string;
  /** The refusal code, or nothing. */
  readonly code?: string;
  /** What requests said after it. */
  readonly requests?: string;
  /** Why, for people. */
  readonly note?: string | undefined;
  readonly right: boolean;
  /** What should have been, where it was not. */
  readonly wrong?: string;
}

const WIDTHS = { what: 54, envoy: 21, code: 16 } as const;

export class Table {
  readonly #screen: Screen;
  #count = 0;
  #wrong = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  get wrongCount(): number {
    return this.#wrong;
  }

  get count(): number {
    return this.#count;
  }

  /** Begins a part of the story. */
  chapter(title: string): void {
    const { write, paint } = this.#screen;
    write(`\n${paint("bold", title)}\n`);
  }

  /** A line of the story in which nothing can go wrong. */
  tell(text: string): void {
    this.#screen.write(`    ${this.#screen.paint("dim", text)}\n`);
  }

  head(): void {
    const { write, paint } = this.#screen;
    write(
      paint(
        "dim",
        `    ${"what".padEnd(WIDTHS.what)}${"Envoy".padEnd(WIDTHS.envoy)}${"code, why".padEnd(WIDTHS.code)}requests\n`,
      ),
    );
  }

  step({ what, envoy, code = "", requests = "", note = "", right, wrong = "" }: Step): void {
    const { write, paint } = this.#screen;
    this.#count++;
    if (!right) this.#wrong++;
    const mark = right ? paint("green", "✓") : paint("red", "✗");
    const coloured = paint(code === "" ? "dim" : "yellow", code.padEnd(WIDTHS.code));
    const columns = `${envoy.padEnd(WIDTHS.envoy)}${note === "" ? coloured : paint("dim", note)}${requests}`;
    const rest = code + requests + note === "" ? envoy : columns;
    write(`  ${mark} ${what.padEnd(WIDTHS.what)}${rest}\n`);
    if (!right) write(`      ${paint("red", wrong)}\n`);
  }
}
