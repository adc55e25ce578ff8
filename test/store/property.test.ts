/** Whatever is kept, in whatever order and with whatever restarts between, is what is read. */
import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Store } from "../../xds-proxy/src/store/store.ts";
import type { Resource } from "../../xds-proxy/src/xds/resource.ts";
import { cluster, newFolder } from "./kept.ts";

const step = fc.oneof(
  fc.constant("flush" as const),
  fc.constant("restart" as const),
  fc.record({
    node: fc.constantFrom("n1", "n2", "n\u0000\u{1f600}"),
    typeUrl: fc.constantFrom("t1", "t2"),
    version: fc.string({ maxLength: 3 }),
    // Names repeat, as they do where a type's names are not known.
    contents: fc.array(fc.tuple(fc.constantFrom("a", "b", "ü"), fc.string({ maxLength: 3 })), { maxLength: 5 }),
  }),
);

test("accepted resources are those that were kept last", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const folder = newFolder();
      const fail = (error: unknown): never => {
        throw error;
      };
      let store = Store.open(folder, { onFault: fail });
      const model = new Map<string, { node: string; typeUrl: string; version: string; resources: Resource[] }>();
      for (const one of steps) {
        if (one === "flush") store.flush();
        else if (one === "restart") {
          store.close();
          store = Store.open(folder, { onFault: fail });
        } else {
          const { node, typeUrl, version } = one;
          const resources = one.contents.map(([name, content]) => cluster(name, content));
          store.keepAccepted(node, typeUrl, resources, version);
          model.set(`${node} ${typeUrl}`, { node, typeUrl, version, resources });
        }
        for (const { node, typeUrl, version, resources } of model.values()) {
          expect(store.typeVersion(node, typeUrl)).toBe(version);
          expect(plain(store.accepted(node, typeUrl))).toEqual(plain(resources));
        }
      }
      store.close();
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 40 },
  );
});

/** As texts, in an order of their own: a set that changes in part may come back in another. */
function plain(resources: readonly Resource[]): readonly string[] {
  return resources.map(({ name, any }) => `${name} ${Buffer.from(any).toString("hex")}`).toSorted();
}
