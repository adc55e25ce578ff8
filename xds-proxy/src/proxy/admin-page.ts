/** The admin server's first page: links, and who is connected, as a person wants to see it. Pure. */
import { formatDurationSec } from "../config/duration.ts";
import type { NamespaceView, RefusalView, StreamsAnswer, StreamView, TypeView } from "./view.ts";

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#222}h1{font-size:1.3em}h2{font-size:1.05em;margin-top:1.6em}
table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.25em .8em;border-bottom:1px solid #ddd}
th{font-weight:600;color:#555}.good{color:#16753a}.bad{color:#b3261e}.dim{color:#777}code{font-size:.95em}`;

export function indexPage({ mode, nowMs, readiness, namespaces, streams }: StreamsAnswer): string {
  const state = readiness.ready
    ? `<b class="good">ready</b>`
    : `<b class="bad">not ready</b>: ${html(readiness.reason)}`;
  return `<!doctype html>
<meta charset="utf-8"><title>wpgate proxy</title><style>${STYLE}</style>
<h1>wpgate proxy, mode ${html(mode)}</h1>
<p>${state}</p>
<p><a href="/debug/streams">/debug/streams</a> · <a href="/metrics">/metrics</a> · <a href="/healthz">/healthz</a> · <a href="/readyz">/readyz</a></p>
<h2>Namespaces</h2>
${table(
  ["namespace", "root", "set", "runs out in", "last refusal"],
  namespaces.map((namespace) => namespaceRow(namespace, nowMs)),
)}
<h2>Streams</h2>
${table(
  ["node", "upstream", "type", "subscribed", "version", "state", "last refusal"],
  streams.flatMap((stream) => streamRows(stream, nowMs)),
)}
`;
}

function namespaceRow(
  { namespace, rootEp, setVer, expSec, lastRefusal }: NamespaceView,
  nowMs: number,
): readonly string[] {
  const leftSec = expSec === undefined ? undefined : expSec - Math.trunc(nowMs / 1000);
  return [
    html(namespace),
    rootEp === undefined ? dim("nothing verified") : String(rootEp),
    html(setVer ?? ""),
    leftSec === undefined ? "" : leftSec > 0 ? formatDurationSec(leftSec) : bad("run out"),
    refusal(lastRefusal, nowMs),
  ];
}

function streamRows(stream: StreamView, nowMs: number): readonly (readonly string[])[] {
  const { nodeId, protocol, peer, upstream, types } = stream;
  const name =
    nodeId === ""
      ? dim("not said yet")
      : `<a href="/debug/resources/${html(encodeURIComponent(nodeId))}">${html(nodeId)}</a>`;
  const since = formatDurationSec((nowMs - upstream.sinceMs) / 1000);
  const state = upstream.state === "connected" ? `<span class="good">connected</span>` : bad(upstream.state);
  const first = [
    `${name}<br>${dim(`${html(protocol)}, ${html(peer)}`)}`,
    `${state} ${dim(`for ${since}`)}${upstream.reason === undefined ? "" : `<br>${html(upstream.reason)}`}`,
  ];
  if (types.length === 0) return [[...first, dim("nothing subscribed"), "", "", "", ""]];
  return types.map((type, index) => [...(index === 0 ? first : ["", ""]), ...typeCells(type, nowMs)]);
}

function typeCells(
  { short, subscribed, version, pendingCount, acceptedCount, lastRefusal }: TypeView,
  nowMs: number,
): readonly string[] {
  const accepted = version === "" ? "nothing accepted" : `${acceptedCount} accepted`;
  return [
    `<code>${html(short)}</code>`,
    html(String(subscribed)),
    html(version),
    pendingCount === 0 ? accepted : `${accepted}, ${pendingCount} on the way`,
    refusal(lastRefusal, nowMs),
  ];
}

function refusal(last: RefusalView | undefined, nowMs: number): string {
  if (last === undefined) return "";
  const { code, resource, reason, atMs } = last;
  const where = resource === "" ? "" : ` <code>${html(resource)}</code>`;
  return `<span class="bad">${html(code)}</span>${where}: ${html(reason)} ${dim(`${formatDurationSec((nowMs - atMs) / 1000)} ago`)}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return `<p class="dim">none</p>`;
  const row = (tag: "th" | "td", cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<table>${row("th", heads)}\n${rows.map((cells) => row("td", cells)).join("\n")}</table>`;
}

function dim(content: string): string {
  return `<span class="dim">${content}</span>`;
}

function bad(text: string): string {
  return `<b class="bad">${html(text)}</b>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" },
};

/** Node ids, versions and reasons come from strangers. */
function html(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? "").replace(/[\p{Cc}\p{Cf}]/gu, "\ufffd");
}
