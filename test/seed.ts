/** Property tests draw the same inputs in every run, so that a result can be repeated; `WPGATE_SEED=NUMBER` draws others. */
import fc from "fast-check";

const DEFAULT_SEED = 8_292;

export const SEED: number = Number(process.env["WPGATE_SEED"] ?? DEFAULT_SEED);

fc.configureGlobal({ seed: SEED });
