/** The files of `captured/`: what a real istiod sent to one node, each resource as base64 of its bytes. */
import { readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { clusterView, type ClusterView } from "../../xds-proxy/src/guard/cluster-view.ts";
import type { Captured, CapturedNode } from "./ads-capture.ts";

export interface CaptureFile extends Captured {
  readonly node: CapturedNode;
  readonly labels: Readonly<Record<string, string>>;
}

const KINDS = ["listeners", "clusters", "endpoints", "routes", "extensions"] as const;

export function writeCaptured(file: CaptureFile): string {
  const resources = Object.fromEntries(
    KINDS.map((kind) => [kind, file[kind].map((value) => Buffer.from(value).toString("base64"))]),
  );
  return `${JSON.stringify({ node: file.node, labels: file.labels, ...resources }, null, 2)}\n`;
}

export interface CapturedView extends CaptureFile {
  readonly view: ClusterView;
}

export function readCaptured(name: string): CapturedView {
  const text = readFileSync(projectFile(`test/guard/captured/${name}.json`), "utf8");
  const file = JSON.parse(text) as {
    node: { id: string; metadata: JsonObject };
    labels: Record<string, string>;
  } & Record<(typeof KINDS)[number], string[]>;
  const bytes = (kind: (typeof KINDS)[number]): readonly Uint8Array[] =>
    file[kind].map((value) => new Uint8Array(Buffer.from(value, "base64")));
  const [clusters, endpoints] = [bytes("clusters"), bytes("endpoints")];
  return {
    ...{ node: file.node, labels: file.labels, clusters, endpoints },
    ...{ listeners: bytes("listeners"), routes: bytes("routes"), extensions: bytes("extensions") },
    view: clusterView(clusters, endpoints),
  };
}
