/** The online signer as a service: looks at the object every few seconds, and goes on whatever happens. */
import { formatDurationSec } from "../config/duration.ts";
import { UpstreamError } from "../errors.ts";
import type { CliContext } from "./context.ts";
import { Hinted, isWpgateError, reportFailure } from "./failure.ts";
import type { Attempt, OnlineSigner } from "./online-signer.ts";
import { pause } from "./pause.ts";
import type { SignerHealth } from "./signer-health.ts";
import { note } from "./ui.ts";
import { versionText } from "./version-text.ts";

export interface WatchOptions {
  readonly signer: OnlineSigner;
  readonly health: SignerHealth;
  readonly pollSec: number;
}

const RETRY_FIRST_SEC = 1;
const RETRY_MAX_SEC = 30;

/** Ends with the signal only. */
export async function watchPlugin(context: CliContext, { signer, health, pollSec }: WatchOptions): Promise<void> {
  let retrySec = RETRY_FIRST_SEC;
  let reported = "";
  let waitSec = 0;
  while (await pause(waitSec, context.signal)) {
    try {
      const attempt = await signer.attempt({ inAnyCase: false });
      health.succeeded(attempt, context.nowMs());
      if (attempt.renewed) noteRenewal(context, attempt);
      else if (reported !== "") note(context, `set ${versionText(attempt.setVer)} is in order again`);
      [retrySec, reported] = [RETRY_FIRST_SEC, ""];
      waitSec = Math.min(pollSec, Math.max(0, attempt.renewalAtSec - context.nowMs() / 1000));
    } catch (error) {
      if (context.signal.aborted) break;
      const { code, message } = errorOf(error);
      health.failed(code);
      // The same again and again is for the metrics.
      if (`${code} ${message}` !== reported) reportFailure(error, context);
      reported = `${code} ${message}`;
      waitSec = error instanceof UpstreamError ? retrySec : pollSec;
      retrySec = Math.min(retrySec * 2, RETRY_MAX_SEC);
    }
  }
  note(context, "stopped; nothing renews the set any more");
}

export function noteRenewal(context: CliContext, { setVer, fresh }: Attempt): void {
  note(context, `set ${versionText(setVer)} is fresh for ${formatDurationSec(fresh.expSec - fresh.iatSec)}`);
}

function errorOf(thrown: unknown): { readonly code: string; readonly message: string } {
  const error: unknown = thrown instanceof Hinted ? thrown.error : thrown;
  if (isWpgateError(error)) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: String(error) };
}
