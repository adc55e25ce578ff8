/** Both ends of an ADS stream without a network: what one writes, the other reads, in order. */
import type { AdsStream, Message, NodeStream } from "../../../xds-proxy/src/grpc/ads-stream.ts";
import type { Protocol } from "../../../xds-proxy/src/xds/type-url.ts";

/** One direction. */
class Pipe {
  readonly #waiting: Uint8Array[] = [];
  #isOver = false;
  #wake: (() => void) | undefined;

  push(message: Uint8Array): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async *messages(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) yield next;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** @returns two streams, each the other's peer; the end of one ends both */
export function streamPair(protocol: Protocol): readonly [NodeStream, NodeStream] {
  const [there, back] = [new Pipe(), new Pipe()];
  let over = (): void => undefined;
  const ended = new Promise<void>((resolve) => (over = resolve));
  const side = (from: Pipe, to: Pipe): NodeStream => ({
    ...{ protocol, messages: from.messages(), ended, peer: { address: "memory", spiffeIds: [] } },
    write: (message: Message) => {
      to.push(message instanceof Uint8Array ? message : Buffer.concat(message));
      return undefined;
    },
    end: () => {
      from.end();
      to.end();
      over();
    },
  });
  return [side(back, there), side(there, back)];
}

/** The next message; undefined at the end. */
export async function next({ messages }: AdsStream): Promise<Uint8Array | undefined> {
  const result = await messages[Symbol.asyncIterator]().next();
  return result.done === true ? undefined : result.value;
}
