/** A suite that is not there or not in a format that the runner knows. */
export class UnreadableError extends Error {}
