/** Code that leaks, in leaky.wasm, measured as everything else is. */
import { randomBytes } from "node:crypto";
import type { Operation } from "./measure.ts";
import { fixedOrRandom } from "./operations.ts";

const TAG_BYTES = 16;
const HASHED_BYTES = 256;

export const CONTROLS: readonly Operation[] = [
  control(
    "leaky-compare",
    "a comparison that ends at the first difference, in the first byte or in the last",
    (module) => {
      const compare = module.fn("compareEarlyExit");
      const right = randomBytes(TAG_BYTES);
      const [expected, at] = [module.put(right), module.reserve(TAG_BYTES)];
      return {
        ...{ inputBytes: TAG_BYTES, at, returns: 0, call: () => compare(expected, at, TAG_BYTES) },
        fill: (slot, inputClass) => {
          const wrong = inputClass === 0 ? 0 : TAG_BYTES - 1;
          slot.set(right);
          slot.writeUInt8(slot.readUInt8(wrong) ^ 1, wrong);
        },
      };
    },
  ),
  control(
    "leaky-branch",
    "square and multiply with a branch on the bit, exponent with few bits or random",
    (module) => {
      const power = module.fn("powerBranching");
      return fixedOrRandom(module, Buffer.alloc(32, 0x01), (exponent) => power(exponent));
    },
  ),
  control("leaky-table", "a hash by tables that the data indexes, data fixed or random", (module) => {
    module.fn("fillTables")();
    const hash = module.fn("hashByTables");
    return fixedOrRandom(module, randomBytes(HASHED_BYTES), (data) => hash(data, HASHED_BYTES));
  }),
];

function control(name: string, about: string, prepare: Operation["prepare"]): Operation {
  return { name, about, isControl: true, prepare };
}
