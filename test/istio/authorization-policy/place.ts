/** Names, addresses and ports of the mesh that both sides are in. */
import { createServer } from "node:net";
import { freePort } from "../../lab/free-port.ts";

export const NAMESPACE = "team-a";
export const ROOT_NAMESPACE = "istio-system";
export const TRUST_DOMAIN = "mesh.example";
/** Whose other names the mesh has: as if it had been called otherwise before. */
export const TRUST_DOMAIN_ALIASES: readonly string[] = ["old.example", "older.test"];
/** Of a mesh that this one knows nothing of. */
export const FOREIGN_TRUST_DOMAIN = "foreign.example";
export const LABELS = { app: "web", version: "v1" } as const;
/** Of the tokens that the listeners believe. */
export const ISSUERS = ["https://accounts.example", "https://login.example/realm", "testing@secure.example"] as const;

export const SIDES = ["native", "signed"] as const;
export type Side = (typeof SIDES)[number];

/** One of a workload's two inbound listeners. */
export interface Entrance {
  readonly port: number;
  /** Differs in the last bit only. */
  readonly addresses: Readonly<Record<Side, string>>;
  /** Blocks that hold the addresses of both sides of this entrance, and of no other. */
  readonly blocks: readonly string[];
}

export type Entrances = readonly [Entrance, Entrance];

/** The same ports on the addresses of both sides. */
export async function chooseEntrances(): Promise<Entrances> {
  return [await chooseEntrance("127.71.0"), await chooseEntrance("127.71.1")];
}

async function chooseEntrance(network: string): Promise<Entrance> {
  const addresses = { native: `${network}.2`, signed: `${network}.3` };
  for (;;) {
    const port = await freePort(addresses.native);
    if (await isFree(addresses.signed, port))
      return { port, addresses, blocks: [`${network}.0/24`, `${network}.2/31`] };
  }
}

async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.on("error", () => {
      resolve(false);
    });
    server.listen(port, address, () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}
