// Who this node is: `xds.node.metadata` of the local bootstrap, under the names that Istio's sidecars use.
import { getProperty } from "../abi/hostcalls";
import { Pairs, parsePairs } from "../abi/pairs";
import { Status } from "../abi/types";
import { View } from "../bytes/view";

const NAMESPACE = View.utf8("xds\0node\0metadata\0NAMESPACE");
const LABELS = View.utf8("xds\0node\0metadata\0LABELS");

@final
export class Workload {
  constructor(
    readonly namespace: View,
    readonly labels: Pairs,
  ) {}
}

/** Null when the host does not say; a node without labels has none. */
export function readWorkload(): Workload | null {
  const namespace = getProperty(NAMESPACE);
  if (!namespace.ok || namespace.bytes.length == 0) return null;
  const labels = readLabels();
  return labels == null ? null : new Workload(namespace.bytes, labels);
}

function readLabels(): Pairs | null {
  const reply = getProperty(LABELS);
  if (reply.status == Status.NotFound) return new Pairs();
  return reply.ok ? parsePairs(reply.bytes) : null;
}
