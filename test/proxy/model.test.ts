import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, test } from "vitest";
import type { KeptNamespace } from "../../xds-proxy/src/proxy/check/trust.ts";
import { Store } from "../../xds-proxy/src/store/store.ts";
import type { Resource } from "../../xds-proxy/src/xds/resource.ts";
import { EXTENSION, LISTENER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { AGES_COUNT, NAMESPACES, Pool, type Part } from "./model-pool.ts";
import { HOUR_MS, World, type Keeper } from "./model-world.ts";

/** `WPGATE_SEQUENCES=100000` looks further; most of them with a disk in memory. */
const SEQUENCES_COUNT = Number(process.env["WPGATE_SEQUENCES"] ?? 500);
const ON_DISK_COUNT = 20;
const TIMEOUT_MS = 60_000 + SEQUENCES_COUNT * 100;

class MemoryKeeper implements Keeper {
  readonly #namespaces = new Map<string, KeptNamespace>();
  readonly #accepted = new Map<string, readonly Resource[]>();

  namespaces(): ReadonlyMap<string, KeptNamespace> {
    return this.#namespaces;
  }

  keepNamespace(ns: string, kept: KeptNamespace): void {
    this.#namespaces.set(ns, kept);
  }

  accepted(_node: string, typeUrl: string): readonly Resource[] {
    return this.#accepted.get(typeUrl) ?? [];
  }

  keepAccepted(_node: string, typeUrl: string, resources: readonly Resource[]): void {
    this.#accepted.set(typeUrl, resources);
  }
}

/** What the model knows is in the world itself: here is only whether a step makes sense now. */
type Model = Record<string, never>;

class Step implements fc.AsyncCommand<Model, World> {
  readonly #name: string;
  readonly #run: (world: World) => Promise<void> | void;
  readonly #can: (world: World) => boolean;

  constructor(name: string, run: (world: World) => Promise<void> | void, can: (world: World) => boolean = () => true) {
    this.#name = name;
    this.#run = run;
    this.#can = can;
  }

  check(): boolean {
    return true;
  }

  async run(_model: Model, world: World): Promise<void> {
    if (this.#can(world)) await this.#run(world);
  }

  toString(): string {
    return this.#name;
  }
}

const age = fc.nat({ max: AGES_COUNT - 1 });
const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: age.map((number) => ({ kind: "good" as const, age: number })) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("spoilt", "mixed", "partial"), age }) },
  { weight: 1, arbitrary: fc.constant({ kind: "absent" as const }) },
);
const isOpen = (world: World): boolean => world.isOpen;
const owes =
  (typeUrl: string) =>
  (world: World): boolean =>
    world.pending.some((one) => one.typeUrl === typeUrl);

const typeUrl = fc.constantFrom(LISTENER, EXTENSION);
const steps = [
  fc
    .record({ "team-a": part, "istio-system": part })
    .map((parts) => new Step(`extension ${JSON.stringify(parts)}`, (world) => world.pushExtension(parts), isOpen)),
  fc
    .tuple(fc.constantFrom("good", "bad", "absent"), fc.boolean())
    .map(
      ([inbound, other]) =>
        new Step(`${inbound} ${String(other)}`, (world) => world.pushListeners(inbound, other), isOpen),
    ),
  ...[0, 1].map(() =>
    typeUrl.map(
      (type) =>
        new Step(
          `ack ${type}`,
          (world) => {
            world.answer(type);
          },
          owes(type),
        ),
    ),
  ),
  typeUrl.map(
    (type) =>
      new Step(
        `nack ${type}`,
        (world) => {
          world.answer(type, "no");
        },
        owes(type),
      ),
  ),
  fc.constant(
    new Step(
      "open",
      (world) => {
        world.open();
      },
      (world) => !world.isOpen,
    ),
  ),
  fc.constant(
    new Step(
      "close",
      (world) => {
        world.close();
      },
      isOpen,
    ),
  ),
  fc.constant(new Step("serve kept", (world) => world.serveKept())),
  fc.constant(
    new Step("reconnect", (world) => {
      world.reconnect();
    }),
  ),
  fc.constant(
    new Step("restart", (world) => {
      world.restart();
    }),
  ),
  fc.integer({ min: -50, max: 80 }).map(
    (hours) =>
      new Step(`${hours} h`, (world) => {
        world.nowMs += hours * HOUR_MS;
      }),
  ),
];

let pool: Pool;

beforeAll(async () => {
  pool = await Pool.create();
});

async function sequences(
  protocol: Protocol,
  keeper: () => { keeper: () => Keeper; end: () => void },
  runs: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 24, size: "max" }), async (commands) => {
      const made = keeper();
      try {
        const world = new World(protocol, pool, made.keeper);
        world.open();
        await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
        world.finish();
      } finally {
        made.end();
      }
    }),
    { numRuns: runs },
  );
}

function inMemory(): { keeper: () => Keeper; end: () => void } {
  const memory = new MemoryKeeper();
  return { keeper: () => memory, end: () => undefined };
}

function onDisk(): { keeper: () => Keeper; end: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "wpgate-model-"));
  const store = Store.open(folder);
  return {
    keeper: () => store,
    end: () => {
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describe.each(["sotw", "delta"] as const)("%s: whatever happens in whatever order", (protocol) => {
  test(
    `each of ${NAMESPACES.length} owners is believed as far as the reference says, and Envoy gets nothing else`,
    async () => {
      await sequences(protocol, inMemory, Math.ceil(SEQUENCES_COUNT / 2));
    },
    TIMEOUT_MS,
  );

  test("the same with a store on the disk", async () => {
    await sequences(protocol, onDisk, ON_DISK_COUNT);
  });
});
