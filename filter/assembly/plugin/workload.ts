// Who this node is: `xds.node.metadata` (before Envoy 1.37 and in other hosts: `node.metadata`) of the local bootstrap, under
// the names that Istio's sidecars use.
import { getProperty } from "../abi/hostcalls";
import { HostReply } from "../abi/memory";
import { Pairs, parsePairs } from "../abi/pairs";
import { Status } from "../abi/types";
import { concat } from "../bytes/concat";
import { View } from "../bytes/view";

const ROOTS: View[] = [View.utf8("xds\0node\0metadata\0"), View.utf8("node\0metadata\0")];
const NAMESPACE = View.utf8("NAMESPACE");
const LABELS = View.utf8("LABELS");

@final
export class Workload {
  constructor(
    readonly namespace: View,
    readonly labels: Pairs,
  ) {}
}

/** Null when the host does not say; a node without labels has none. */
export function readWorkload(): Workload | null {
  const namespace = getMetadata(NAMESPACE);
  if (!namespace.ok || namespace.bytes.length == 0) return null;
  const labels = readLabels();
  return labels == null ? null : new Workload(namespace.bytes, labels);
}

function readLabels(): Pairs | null {
  const reply = getMetadata(LABELS);
  if (reply.status == Status.NotFound) return new Pairs();
  return reply.ok ? parsePairs(reply.bytes) : null;
}

function getMetadata(name: View): HostReply {
  const reply = getProperty(concat([ROOTS[0], name]));
  return reply.status == Status.NotFound ? getProperty(concat([ROOTS[1], name])) : reply;
}
