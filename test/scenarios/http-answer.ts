/** The head of an HTTP/1.1 answer, read from a socket on which a request was written byte for byte. */
import type { Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** Up to the end of the head; a body is not waited for, nor that the peer closes. */
export async function readAnswer(socket: Socket): Promise<Answer> {
  let text = "";
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString("latin1");
    if (text.includes("\r\n\r\n")) break;
  }
  return parseAnswer(text);
}

function parseAnswer(text: string): Answer {
  const [head = ""] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`not an HTTP answer: ${JSON.stringify(text.slice(0, 100))}`);
  return { status, headers: new Map(lines.map((line) => splitHeader(line))) };
}

function splitHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
