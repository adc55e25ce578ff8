import { expect, test } from "vitest";
import { changedFields } from "./changed-fields.ts";

test.each([
  ["nothing", { a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, []],
  ["order of members", { a: [{ b: 1, c: 2 }] }, { a: [{ c: 2, b: 1 }] }, []],
  ["a leaf", { a: { b: 1 } }, { a: { b: 2 } }, [{ path: "a.b", before: 1, after: 2 }]],
  ["comes", {}, { a: { b: 1 }, c: 0 }, [{ path: "a.b", after: 1 }, { path: "c", after: 0 }]], // prettier-ignore
  ["goes", { a: { b: null } }, {}, [{ path: "a.b", before: null }]],
  ["comes empty", {}, { a: {} }, [{ path: "a", after: {} }]],
  ["a list is one field", { a: [1, 2] }, { a: [2, 1] }, [{ path: "a", before: [1, 2], after: [2, 1] }]],
  ["another kind", { a: { b: 1 } }, { a: "x" }, [{ path: "a", before: { b: 1 }, after: "x" }]],
])("%s", (_, before, after, changes) => {
  expect(changedFields(before, after)).toEqual(changes);
});
