/** What will run out, said before it does: nothing that an owner has signed lives for ever. */
import { formatDurationSec } from "../config/duration.ts";
import { VerifyError } from "../errors.ts";
import { displayName } from "../owner/object-name.ts";
import type { Published } from "../owner/published.ts";
import type { CliContext } from "./context.ts";
import { Hinted } from "./failure.ts";
import { warn } from "./ui.ts";

const SOON_SEC = 14 * 86_400;

/** @throws VerifyError EXPIRED: nothing that is signed now would be believed */
export function refuseExpiredRoot(context: CliContext, { root }: Published): void {
  if (root.exp * 1000 > context.nowMs()) return;
  throw new Hinted(
    new VerifyError("EXPIRED", `root ${root.document.ep} has run out`, { where: "roots" }),
    "give it a new lifetime with wpgate root change",
  );
}

/** For a person, or for the log of `fresh --watch`, which renews neither of them. */
export function warnOfExpiry(context: CliContext, { root, set, objects }: Published): void {
  const all = [
    { what: `root ${root.document.ep}`, expSec: root.exp, remedy: "wpgate root change" },
    ...(set === undefined ? [] : [{ what: "the set", expSec: set.expSec, remedy: "wpgate set" }]),
    ...[...objects.values()].map((object) => ({
      what: displayName(object),
      expSec: Math.min(...object.parts.map(({ expSec }) => expSec)),
      remedy: object.data === undefined ? "wpgate seal with its source" : "wpgate set",
    })),
  ];
  for (const { what, expSec, remedy } of all) {
    const leftSec = expSec - Math.trunc(context.nowMs() / 1000);
    if (leftSec < SOON_SEC) warn(context, `${what} runs out in ${formatDurationSec(leftSec)}; renew it with ${remedy}`);
  }
}
