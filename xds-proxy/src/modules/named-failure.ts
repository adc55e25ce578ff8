/** What went wrong with a module, with the address that the configuration names. */
import { LimitError, UpstreamError, VerifyError, WpgateError } from "../errors.ts";
import { shownUrl } from "./module-request.ts";

/** The same failure; what is none of ours stays as it is. */
export function named(url: string, error: unknown): unknown {
  if (!(error instanceof WpgateError)) return error;
  const details = { cause: error, where: shownUrl(url), ...(error.hint === undefined ? {} : { hint: error.hint }) };
  const message = `module ${shownUrl(url)}: ${error.message}`;
  if (error instanceof UpstreamError) return new UpstreamError(error.code, message, details);
  if (error instanceof LimitError) return new LimitError(message, details);
  return error instanceof VerifyError ? new VerifyError(error.code, message, details) : error;
}
