/** A TCP relay between two programs, which a test can freeze (a half-open connection: sockets stay, nothing moves) or cut. */
import { connect, createServer, type Server, type Socket } from "node:net";

export class Relay {
  port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #frozen = false;

  private constructor(target: number | string) {
    this.#server = createServer((near) => {
      const far = typeof target === "number" ? connect(target, "127.0.0.1") : connect(target);
      this.#join(near, far);
    });
  }

  /** @param target - a port on 127.0.0.1, or the path of a socket */
  static async start(target: number | string): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve, reject) => {
      relay.#server.on("error", reject);
      relay.#server.listen(0, "127.0.0.1", resolve);
    });
    const bound = relay.#server.address();
    relay.port = typeof bound === "object" && bound !== null ? bound.port : 0;
    return relay;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** From now on no byte moves; new connections are taken, and then nothing. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Resets every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Written out, because `pipe` would resume a socket by itself. */
  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (chunk) => {
        if (to.write(chunk) || this.#frozen) return;
        from.pause();
        to.once("drain", () => {
          if (!this.#frozen) from.resume();
        });
      });
      from.on("end", () => {
        to.end();
      });
      from.on("error", () => {
        to.destroy();
      });
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#frozen) from.pause();
    }
  }
}
