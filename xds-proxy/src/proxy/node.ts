/** Who is at the other end of a stream, as its first request says. */
import { toBinary } from "@bufbuild/protobuf";
import { isRecord } from "../bytes/record.ts";
import { NodeSchema, type Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { readNode, type NodeVerdict } from "../identity/node-id.ts";
import type { NodeIdentity } from "../identity/types.ts";

/** What every mode has to know of a node. */
export interface NodeFacts {
  readonly id: string;
  /** `""` for a node that is not Istio's. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly identity: NodeIdentity | undefined;
}

const ID_MAX_CHARS = 512;

/** Without credentials the socket is what is believed, and any xDS client may be behind it.
 *  @returns the refusal where it is an Istio node that contradicts itself, or no node at all */
export function nodeFacts(node: Node): NodeFacts | Extract<NodeVerdict, { readonly ok: false }> {
  const verdict = readNode(toBinary(NodeSchema, node));
  if (verdict.ok) return { ...verdict.node, identity: verdict.node };
  const isIstio = /^(?:sidecar|router|waypoint|ztunnel)~/.test(node.id);
  if (isIstio || node.id.length > ID_MAX_CHARS || !/^[\x20-\x7e]*$/.test(node.id)) return verdict;
  const metadata = node.metadata ?? {};
  const namespace = typeof metadata["NAMESPACE"] === "string" ? metadata["NAMESPACE"] : "";
  const labels = isRecord(metadata["LABELS"]) ? metadata["LABELS"] : {};
  const texts = Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { id: node.id, namespace, labels: Object.fromEntries(texts), identity: undefined };
}
