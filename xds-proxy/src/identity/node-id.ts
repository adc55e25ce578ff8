/**
 * What an Istio node says of itself in its first request (`envoy.config.core.v3.Node`): the id
 * `type~IP~pod.namespace~namespace.svc.domain`, and metadata of which NAMESPACE, SERVICE_ACCOUNT and LABELS count here.
 * Nothing of it is proven; it is one text that logs, claims and file names can carry, and it does not contradict itself.
 */
import { isIP } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { isRecord } from "../bytes/record.ts";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { isNamespaceName, isObjectName } from "./names.ts";
import { NODE_TYPES, refused } from "./types.ts";
import type { IdentityRefusal, NodeIdentity, NodeType } from "./types.ts";

const ID_MAX_CHARS = 512;
const PRINTABLE = /^[\x21-\x7e]+$/;
const LABELS_MAX_COUNT = 256;
/** Kubernetes: a prefix of 253, `/`, a name of 63; values are 63 and shorter. */
const LABEL_NAME_MAX_CHARS = 317;
const LABEL_VALUE_MAX_CHARS = 63;
const LABEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
const LABEL_VALUE = /^[A-Za-z0-9._-]*$/;

export type NodeVerdict = { readonly ok: true; readonly node: NodeIdentity } | IdentityRefusal;

/** @param node - encoded `envoy.config.core.v3.Node` */
export function readNode(node: Uint8Array): NodeVerdict {
  const decoded = decodeNode(node);
  if (decoded === undefined) return refused("NODE", "the node is malformed");
  return nodeIdentity(decoded.id, decoded.metadata ?? {});
}

function decodeNode(node: Uint8Array): { readonly id: string; readonly metadata?: unknown } | undefined {
  try {
    return fromBinary(NodeSchema, node);
  } catch {
    return undefined;
  }
}

/** The parts of a node id. */
export interface NodeId {
  readonly type: NodeType;
  readonly address: string;
  readonly pod: string;
  readonly namespace: string;
}

/** @param metadata - of the node, as JSON */
export function nodeIdentity(id: string, metadata: unknown): NodeVerdict {
  const parts = parseNodeId(id);
  if (parts === undefined) return refused("NODE", "the node id is not type~IP~pod.namespace~namespace.svc.domain");
  if (!isRecord(metadata)) return refused("NODE", "the node's metadata is no object");
  const { NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount, LABELS: labels = {} } = metadata;
  if (namespace !== parts.namespace) return refused("NODE", otherNamespace(parts.namespace, namespace));
  if (serviceAccount !== undefined && !(typeof serviceAccount === "string" && isObjectName(serviceAccount))) {
    return refused("NODE", "SERVICE_ACCOUNT in the node's metadata is no name");
  }
  const texts = parseLabels(labels);
  if (texts === undefined) return refused("NODE", "LABELS in the node's metadata are not labels");
  return { ok: true, node: { id, type: parts.type, namespace, serviceAccount, labels: texts } };
}

/** undefined for a text that is none, and for one whose domain names another namespace than its pod. */
export function parseNodeId(id: string): NodeId | undefined {
  if (id.length > ID_MAX_CHARS || !PRINTABLE.test(id)) return undefined;
  const [typeText = "", address = "", instance = "", domain = "", ...more] = id.split("~");
  const type = NODE_TYPES.find((name) => name === typeText);
  // The pod's name may have dots, a namespace has none.
  const dot = instance.lastIndexOf(".");
  const [pod, namespace] = [instance.slice(0, Math.max(dot, 0)), instance.slice(dot + 1)];
  if (type === undefined || isIP(address) === 0 || more.length > 0) return undefined;
  if (!isObjectName(pod) || !isNamespaceName(namespace)) return undefined;
  return isObjectName(domain) && domain.startsWith(`${namespace}.svc.`) ? { type, address, pod, namespace } : undefined;
}

function otherNamespace(ofId: string, ofMetadata: unknown): string {
  return typeof ofMetadata === "string" && isNamespaceName(ofMetadata)
    ? `the node id names namespace ${ofId}, its metadata ${ofMetadata}`
    : "NAMESPACE in the node's metadata is missing or no name";
}

function parseLabels(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > LABELS_MAX_COUNT) return undefined;
  const texts = entries.filter((entry): entry is [string, string] => isLabelEntry(entry));
  return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
}

function isLabelEntry([name, value]: readonly [string, unknown]): boolean {
  return (
    name.length <= LABEL_NAME_MAX_CHARS &&
    LABEL_NAME.test(name) &&
    typeof value === "string" &&
    value.length <= LABEL_VALUE_MAX_CHARS &&
    LABEL_VALUE.test(value)
  );
}
