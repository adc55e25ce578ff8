/** How `wpgate status --proxy` looks on a terminal. */
import { formatDurationSec } from "../config/duration.ts";
import type { NamespaceView, RefusalView, StreamView, TypeView } from "../proxy/view.ts";
import type { ProxyStatus } from "./proxy-status.ts";
import type { TextOptions } from "./status-text.ts";
import { columns, printable, type Paint } from "./ui.ts";
import { versionText } from "./version-text.ts";

interface Look {
  readonly paint: Paint;
  readonly nowMs: number;
}

export function proxyText({ address, answer, fault }: ProxyStatus, { paint }: TextOptions): string {
  const name = paint("bold", `proxy ${printable(address)}`);
  if (answer === undefined) return `${name}\n  ${paint("red", printable(fault ?? ""))}\n`;
  const { mode, readiness, namespaces, streams, nowMs } = answer;
  const look = { paint, nowMs };
  const state = readiness.ready ? paint("green", "ready") : paint("red", `not ready: ${printable(readiness.reason)}`);
  const none = streams.length === 0 ? `  ${paint("dim", "no streams")}\n` : "";
  return [
    `${name}  ${printable(mode)}  ${state}\n`,
    columns(namespaces.map((namespace) => namespaceRow(namespace, look))),
    none,
    ...streams.map((stream) => streamText(stream, look)),
  ].join("");
}

function namespaceRow(
  { namespace, rootEp, setVer, expSec, lastRefusal }: NamespaceView,
  look: Look,
): readonly string[] {
  const { paint, nowMs } = look;
  const leftSec = expSec === undefined ? undefined : Math.trunc(expSec - nowMs / 1000);
  return [
    `  ${paint("bold", printable(namespace))}`,
    rootEp === undefined
      ? paint("red", "nothing verified")
      : `root ${rootEp}, set ${setVer === undefined ? "none" : printable(versionText(setVer))}`,
    leftSec === undefined ? "" : leftSec > 0 ? `runs out in ${leftSec} s` : paint("red", "run out"),
    refusalText(lastRefusal, look),
  ];
}

function streamText(stream: StreamView, look: Look): string {
  const { nodeId, protocol, upstream, types } = stream;
  const { paint, nowMs } = look;
  const state = paint(upstream.state === "connected" ? "green" : "red", `upstream ${printable(upstream.state)}`);
  const since = `for ${formatDurationSec((nowMs - upstream.sinceMs) / 1000)}`;
  const why = upstream.reason === undefined ? "" : `: ${printable(upstream.reason)}`;
  const node = nodeId === "" ? "node not said yet" : printable(nodeId);
  const title = `  ${paint("bold", node)}  ${printable(protocol)}  ${state} ${since}${why}\n`;
  return `${title}${columns(types.map((type) => typeRow(type, look)))}`;
}

function typeRow(
  { short, subscribed, version, pendingCount, acceptedCount, refusedCount, lastRefusal }: TypeView,
  look: Look,
): readonly string[] {
  const accepted = version === "" ? "nothing accepted" : `${acceptedCount} accepted`;
  const refused = refusedCount === undefined ? "" : `, ${look.paint("red", `${refusedCount} now refused`)}`;
  return [
    `    ${printable(short)}`,
    version === "" ? "" : `version ${printable(version)}`,
    `${subscribed} subscribed, ${accepted}${pendingCount === 0 ? "" : `, ${pendingCount} on the way`}${refused}`,
    refusalText(lastRefusal, look),
  ];
}

function refusalText(last: RefusalView | undefined, { paint, nowMs }: Look): string {
  if (last === undefined) return "";
  const { code, resource, reason, atMs } = last;
  const where = resource === "" ? "" : ` at ${printable(resource)}`;
  const ago = formatDurationSec((nowMs - atMs) / 1000);
  return `${paint("yellow", `refused with ${printable(code)}`)}${where}: ${printable(reason)} (${ago} ago)`;
}
