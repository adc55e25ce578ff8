import { fuzzGroup } from "./fuzz.ts";
import { BASE64URL } from "./targets/base64url.ts";
import { CLAIMS } from "./targets/claims.ts";
import { DER } from "./targets/der.ts";
import { ENVELOPE } from "./targets/envelope.ts";
import { JSON_TEXT } from "./targets/json.ts";

fuzzGroup({ targets: [BASE64URL, CLAIMS, ENVELOPE], seconds: 10 });
fuzzGroup({ targets: [JSON_TEXT, DER], seconds: 3 });
