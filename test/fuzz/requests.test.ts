import { fuzzGroup } from "./fuzz.ts";
import { ECDSA } from "./targets/ecdsa.ts";
import { HOST } from "./targets/host.ts";
import { POLICY } from "./targets/policy.ts";
import { SEALED } from "./targets/sealed.ts";

fuzzGroup({ targets: [SEALED, POLICY, HOST], seconds: 10 });
fuzzGroup({ targets: [ECDSA], seconds: 3 });
