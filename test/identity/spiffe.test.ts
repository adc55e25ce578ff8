import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { parseSpiffeId, uriNamesOf } from "../../xds-proxy/src/identity/spiffe.ts";
import { Authority, type CertificateNames } from "../scenarios/certificates.ts";

const ID = "spiffe://cluster.local/ns/team-a/sa/app";

describe("a SPIFFE id", () => {
  test.each([
    [ID, { trustDomain: "cluster.local", namespace: "team-a", serviceAccount: "app" }],
    ["spiffe://td_1/ns/n/sa/a.b", { trustDomain: "td_1", namespace: "n", serviceAccount: "a.b" }],
  ])("%s is read", (text, id) => {
    expect(parseSpiffeId(text)).toEqual(id);
  });

  test.each([
    "",
    "spiffe://cluster.local",
    "spiffe://cluster.local/ns/team-a",
    "spiffe://cluster.local/ns/team-a/sa/",
    "spiffe:///ns/team-a/sa/app",
    `${ID}/`,
    `${ID}/more`,
    `${ID}?a=b`,
    `${ID}#a`,
    `${ID}\n`,
    ` ${ID}`,
    ID.toUpperCase(),
    "SPIFFE://cluster.local/ns/team-a/sa/app",
    "https://cluster.local/ns/team-a/sa/app",
    "spiffe://Cluster.local/ns/team-a/sa/app",
    "spiffe://cluster.local:443/ns/team-a/sa/app",
    "spiffe://user@cluster.local/ns/team-a/sa/app",
    "spiffe://cluster.local/ns/team%2da/sa/app",
    "spiffe://cluster.local/ns/../sa/app",
    "spiffe://cluster.local//ns/team-a/sa/app",
    "spiffe://cluster.local/sa/app/ns/team-a",
    `spiffe://cluster.local/ns/team-a/sa/app, URI:${ID}`,
    `spiffe://${"a".repeat(256)}/ns/team-a/sa/app`,
    `spiffe://cluster.local/ns/${"a".repeat(64)}/sa/app`,
    `spiffe://cluster.local/ns/team-a/sa/${"a".repeat(3_000)}`,
  ])("%j is none", (text) => {
    expect(parseSpiffeId(text)).toBeUndefined();
  });
});

describe("the URI names of a certificate", () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await Authority.create();
  });

  const urisOf = async (names: CertificateNames): Promise<readonly string[]> =>
    uriNamesOf(new X509Certificate((await authority.issue(names)).certificate));

  test("are what is in it", async () => {
    expect(await urisOf({ uri: ID })).toEqual([ID]);
    expect(await urisOf({ uri: ID, dns: "app.example", ip: "10.0.0.1" })).toEqual([ID]);
  });

  test("are none without names", async () => {
    expect(await urisOf({ commonName: ID })).toEqual([]);
  });

  test.each([
    `evil.example, URI:${ID}`,
    `evil.example", URI:${ID}, DNS:"`,
    `evil.example\\", URI:${ID}`,
    `evil.example\u002c URI:${ID}`,
    `URI:${ID}`,
    `, URI:${ID}`,
    `"`,
    `\\`,
  ])("do not come out of a DNS name %j", async (dns) => {
    const certificate = new X509Certificate((await authority.issue({ dns })).certificate);
    expect(certificate.subjectAltName).toContain("DNS:");
    expect(uriNamesOf(certificate)).toEqual([]);
  });

  test("are one where a URI looks like two", async () => {
    const uri = `spiffe://cluster.local/ns/team-b/sa/evil, URI:${ID}`;
    expect(await urisOf({ uri })).toEqual([uri]);
    expect(parseSpiffeId(uri)).toBeUndefined();
  });

  test("are read behind a hostile DNS name", async () => {
    const other = "spiffe://cluster.local/ns/team-b/sa/evil";
    expect(await urisOf({ uri: other, dns: `x, URI:${ID}` })).toEqual([other]);
  });

  test("are none when the text is not understood", () => {
    for (const subjectAltName of [
      `URI:${ID}, `,
      `URI:${ID},DNS:x`,
      `URI:${ID}, DNS:"x`,
      `URI:"\\u00"`,
      "x",
      `DNS:x"y, URI:${ID}`,
    ]) {
      expect([subjectAltName, uriNamesOf({ subjectAltName })]).toEqual([subjectAltName, []]);
    }
  });

  test("are those of a TLS client", async () => {
    const [server, client] = [await authority.issue({ dns: "localhost" }), await authority.issue({ uri: ID })];
    const listener = createServer({
      ...{ key: server.key, cert: server.certificate, ca: authority.certificate },
      ...{ requestCert: true, rejectUnauthorized: true },
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const connection = connect({
      ...{ port, host: "127.0.0.1", servername: "localhost", ca: authority.certificate },
      ...{ key: client.key, cert: client.certificate },
    });
    const [socket] = (await once(listener, "secureConnection")) as [TLSSocket];
    expect(uriNamesOf(socket.getPeerX509Certificate()!)).toEqual([ID]);
    connection.destroy();
    socket.destroy();
    listener.close();
    await once(listener, "close");
  });
});
