import fc from "fast-check";
import { expect, test } from "vitest";
import { testable } from "../testable.ts";

const fn = (name: string): ((...args: number[]) => number) => testable().fn(name);

/** Ids that meet in the same slots of a small table, beside ones that are spread. */
const id = fc.oneof(
  fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 40 })).map(([slot, lap]) => slot + lap * 64),
  fc.nat({ max: 300 }),
  fc.constantFrom(0xffffffff, 0x80000000, 63, 64, 127, 128),
);
const step = fc.tuple(fc.constantFrom("add", "add", "delete"), id);

test("is a set of numbers other than 0, however they come and go", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const model = new Set<number>();
      fn("idsReset")();
      for (const [what, id] of steps) {
        if (what === "add") {
          fn("idsAdd")(id);
          if (id !== 0) model.add(id);
        } else expect(fn("idsDelete")(id)).toBe(Number(model.delete(id)));
        expect(fn("idsHas")(id)).toBe(Number(model.has(id)));
      }
      for (const id of model) expect(fn("idsHas")(id)).toBe(1);
    }),
    { numRuns: 300 },
  );
});

test("0 is never in it, so an id that no host gives is unknown", () => {
  fn("idsReset")();
  fn("idsAdd")(0);
  expect(fn("idsHas")(0)).toBe(0);
  expect(fn("idsDelete")(0)).toBe(0);
});
