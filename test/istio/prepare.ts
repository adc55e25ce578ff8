/** Before the tests, which run several at once and would each wait without a word: builds and installs what they share. */
import { interruption } from "../lab/interruption.ts";
import { findPrograms } from "../lab/programs.ts";
import { grpcio } from "../proxy/strict-client/grpcio.ts";
import { suitePrograms } from "../proxy/suite/programs.ts";

const started = performance.now();
const signal = interruption();
const onProgress = (message: string): void => {
  process.stderr.write(`wpgate: ${message} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
};

try {
  await findPrograms({ onProgress, signal });
  await suitePrograms({ onProgress, signal });
  await grpcio({ onProgress, signal });
} catch (error) {
  process.stderr.write(`wpgate: error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
