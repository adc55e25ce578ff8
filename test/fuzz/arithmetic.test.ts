import { fuzzGroup } from "./fuzz.ts";
import { ARITHMETIC } from "./targets/index.ts";

fuzzGroup({ targets: ARITHMETIC, seconds: 10 });
