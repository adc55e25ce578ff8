/**
 * A load that costs the sender little, so that Envoy is what limits: one prepared HTTP/1.1 request, written again on each
 * connection as soon as its answer is complete. Answers are not parsed, their bytes are counted: every answer must have
 * the same length as the first one and begin like it.
 */
import { connect, type Socket } from "node:net";

export interface LoadOptions {
  readonly port: number;
  readonly request: Uint8Array;
  /** How the answer must begin. */
  readonly statusLine: string;
  readonly connections: number;
}

export class Load {
  readonly #sockets: readonly Socket[];
  readonly #request: Uint8Array;
  readonly #answerBytes: number;
  #running = false;
  #answers = 0;
  #fail: (error: Error) => void = () => undefined;

  private constructor(sockets: readonly Socket[], request: Uint8Array, answerBytes: number) {
    this.#sockets = sockets;
    this.#request = request;
    this.#answerBytes = answerBytes;
    for (const socket of sockets) this.#drive(socket);
  }

  static async open({ port, request, statusLine, connections }: LoadOptions): Promise<Load> {
    const sockets: Socket[] = [];
    let answerBytes = 0;
    for (let i = 0; i < connections; i++) {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      sockets.push(socket);
      const answer = await firstAnswer(socket, request);
      if (!answer.startsWith(statusLine)) throw new Error(`the answer is ${answer.slice(0, 80)}`);
      answerBytes = answer.length;
    }
    return new Load(sockets, request, answerBytes);
  }

  /** Returns the number of answers within that time. */
  async run(forMs: number): Promise<number> {
    this.#answers = 0;
    this.#running = true;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      for (const socket of this.#sockets) socket.write(this.#request);
      setTimeout(resolve, forMs);
      setImmediate(this.#spin);
    });
    this.#running = false;
    const count = this.#answers;
    // The requests in flight come to rest before somebody else is measured.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return count;
  }

  close(): void {
    this.#running = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Keeps this process awake: waking it for each answer would cost the one who sends the answer, which is Envoy. */
  readonly #spin = (): void => {
    if (this.#running) setImmediate(this.#spin);
  };

  #drive(socket: Socket): void {
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received < this.#answerBytes) return;
      if (received > this.#answerBytes) this.#fail(new Error("an answer is longer than the first one"));
      received = 0;
      this.#answers++;
      if (this.#running) socket.write(this.#request);
    });
    socket.on("error", (error) => {
      this.#fail(error);
    });
    socket.on("close", () => {
      this.#fail(new Error("Envoy closed a connection"));
    });
  }
}

/** The answer has no body, so its head is all. */
async function firstAnswer(socket: Socket, request: Uint8Array): Promise<string> {
  socket.write(request);
  return await new Promise<string>((resolve, reject) => {
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      socket.off("data", read);
      resolve(text);
    };
    socket.on("data", read);
    socket.once("error", reject);
  });
}
