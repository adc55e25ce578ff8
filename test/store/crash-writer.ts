/**
 * Writes ever higher versions of one namespace and one node until it is killed, and prints each that is on the disk. It
 * prints 0 when it is there, and begins when it is told to on stdin: a start takes much longer than a write.
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { Store } from "../../xds-proxy/src/store/store.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";
import { cluster, keptAt } from "./kept.ts";

const [folder = "", ns = ""] = process.argv.slice(2);
writeSync(1, "0\n");
await once(process.stdin, "data");
const store = Store.open(folder, {
  onFault: (error) => {
    throw error;
  },
});
let ver = BigInt(store.namespaces().get(ns)?.state.setVer ?? "0");
for (;;) {
  ver++;
  const content = String(ver);
  store.keepAccepted(ns, CLUSTER, [cluster("a", content), cluster("b", content), cluster("c", content)], content);
  store.keepNamespace(ns, keptAt(content));
  store.flush();
  // Fails, and ends the process, when nobody reads any more.
  writeSync(1, `${content}\n`);
}
