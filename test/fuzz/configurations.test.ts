import { fuzzGroup } from "./fuzz.ts";
import { NAMESPACE, ROOTS } from "./targets/case.ts";
import { CONFIGURATION, FRESH_LIST } from "./targets/configuration.ts";
import { FRESH_DOCUMENT, ROOT_DOCUMENT, SET_DOCUMENT } from "./targets/documents.ts";

fuzzGroup({ targets: [ROOTS, CONFIGURATION, FRESH_LIST], seconds: 10 });
fuzzGroup({ targets: [ROOT_DOCUMENT, SET_DOCUMENT, FRESH_DOCUMENT, NAMESPACE], seconds: 3 });
