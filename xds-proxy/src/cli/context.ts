/** Everything that a command touches of the world, so that tests can give it another one. */

/** The way out: stdout carries results only, stderr everything that is said about them. */
export interface Terminal {
  /** Whether notes are left out; warnings and errors are not. */
  readonly quiet?: () => boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether the stream shows ANSI colours to a person. */
  readonly colour: { readonly stdout: boolean; readonly stderr: boolean };
}

export interface CliContext extends Terminal {
  /** Relative paths start here. */
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly readStdin: () => Promise<Uint8Array>;
  readonly nowMs: () => number;
  /** Fires on Ctrl-C and SIGTERM; whatever waits or runs on ends in order. */
  readonly signal: AbortSignal;
}
