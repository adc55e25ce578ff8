/** Property tests draw the same inputs in every run, so that a result can be repeated; `WPGATE_SEED=NUMBER` draws others. */
import fc from "fast-check";

const DEFAULT_SEED = 8_292;

fc.configureGlobal({ seed: Number(process.env["WPGATE_SEED"] ?? DEFAULT_SEED) });
