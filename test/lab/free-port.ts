import { createServer } from "node:net";

/** A port that was free a moment ago, for programs that cannot take one from the kernel themselves. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => {
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
  });
}
