// The last good state of a namespace in the host's shared data, as the signed envelopes themselves. Everyone with the same
// vm_id can write there, so it is a hint: whoever reads it verifies it like a configuration. Per pin and namespace two keys:
// the envelopes, and a mark that changes with them, so that a look that finds nothing new is cheap.
import { getShared, setShared } from "../abi/shared-data";
import { Status } from "../abi/types";
import { concat } from "../bytes/concat";
import { View } from "../bytes/view";
import { digestOf, digestText } from "../envelope/digest";

const NOTHING = View.empty();

@final
export class SharedCache {
  private readonly bodyKey: View;
  private readonly markKey: View;
  private seenMark: View = NOTHING;
  private cas: u32 = 0;

  constructor(pin: View, ns: View) {
    const prefix = concat([View.utf8("wpgate/1/"), digestText(pin), View.utf8("/"), ns]);
    this.bodyKey = concat([prefix, View.utf8("/state")]);
    this.markKey = concat([prefix, View.utf8("/mark")]);
  }

  /** Whether somebody has written, or erased, since the last `read` or `write`. */
  hasChanged(): bool {
    const mark = getShared(this.markKey).reply;
    return !mark.ok || !mark.bytes.equals(this.seenMark);
  }

  /** The envelopes, empty when there are none. */
  read(): View {
    const mark = getShared(this.markKey).reply;
    const body = getShared(this.bodyKey);
    this.seenMark = mark.ok ? mark.bytes : NOTHING;
    this.cas = body.cas;
    return body.reply.ok ? body.reply.bytes : NOTHING;
  }

  /** Replaces what `read`, just before, has found; when somebody else was faster, their write shows as a change. */
  write(envelopes: View): void {
    if (setShared(this.bodyKey, envelopes, this.cas) != Status.Ok) return;
    this.seenMark = digestOf(envelopes);
    setShared(this.markKey, this.seenMark, 0);
  }
}
