/** The configuration of wpgate proxy: every fault by its path, defaults, options over the file, and its own print read back. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { formatAddress, isLoopback, parseAddress } from "../../xds-proxy/src/config/addresses.ts";
import type { ProxyConfig } from "../../xds-proxy/src/config/proxy-config.ts";
import { loadProxyConfig } from "../../xds-proxy/src/config/proxy-load.ts";
import { printProxyConfig } from "../../xds-proxy/src/config/proxy-print.ts";
import { parseProxyConfig } from "../../xds-proxy/src/config/proxy-schema.ts";
import { ConfigError } from "../../xds-proxy/src/errors.ts";

const SOURCE = { name: "proxy.yaml", folder: "/etc/wpgate" };

const CHECK = { pin: "pin.json", upstream: { address: "istiod:15012" } };

const WRAP = {
  mode: "wrap",
  upstream: { address: "unix:/run/istiod", tls: { serverName: "istiod.istio-system.svc" } },
  listen: [
    {
      address: ":15012",
      tls: { cert: "tls.crt", key: "tls.key", clientCa: "ca.crt", clientCert: "optional" },
    },
  ],
  identity: {
    jwt: {
      issuer: "https://kubernetes.default.svc",
      audience: "istio-ca",
      jwks: "https://kubernetes.default.svc/openid/v1/jwks",
    },
    mtls: true,
  },
  wrap: { key: "push.pem", bundle: "root/bundle.json", contact: "mailto:mesh@example.com", recipients: "recipients" },
};

function faultsOf(value: unknown): readonly string[] {
  try {
    parseProxyConfig(value, SOURCE);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

test("a short file has every default", () => {
  const expected: ProxyConfig = {
    mode: "check",
    pin: "/etc/wpgate/pin.json",
    upstream: {
      address: { kind: "tcp", host: "istiod", port: 15012 },
      connectTimeoutSec: 10,
      keepalive: { timeSec: 30, timeoutSec: 10 },
    },
    listen: [{ address: { kind: "tcp", host: "127.0.0.1", port: 15010 }, socketMode: 0o600 }],
    identity: { mtls: false, upstream: "none" },
    state: "/var/lib/wpgate",
    admin: { kind: "tcp", host: "127.0.0.1", port: 15081 },
    unwrap: { heartbeatSec: 30 },
    limits: {
      messageMaxBytes: 67_108_864,
      requestMaxBytes: 4_194_304,
      streamsMaxCount: 2_000,
      resourcesMaxCount: 100_000,
    },
    drainSec: 5,
    log: { level: "info" },
  };
  const config = parseProxyConfig(CHECK, SOURCE);
  expect(config).toEqual(expected);
  expect(() => Object.assign(config.upstream, { address: "other" })).toThrow(TypeError);
});

test("paths are relative to the file", () => {
  const { upstream, listen, identity, wrap } = parseProxyConfig(WRAP, SOURCE);
  expect(upstream.address).toEqual({ kind: "unix", path: "/run/istiod" });
  expect(listen).toEqual([
    {
      address: { kind: "tcp", host: "", port: 15012 },
      tls: {
        ...{ cert: "/etc/wpgate/tls.crt", key: "/etc/wpgate/tls.key", clientCa: "/etc/wpgate/ca.crt" },
        clientCert: "optional",
      },
      socketMode: 0o600,
    },
  ]);
  expect(identity).toMatchObject({ mtls: true, upstream: "token", jwt: { jwks: WRAP.identity.jwt.jwks } });
  expect(wrap).toEqual({
    ...{ key: "/etc/wpgate/push.pem", bundle: "/etc/wpgate/root/bundle.json", contact: "mailto:mesh@example.com" },
    ...{ heartbeatSec: 30, recipients: "/etc/wpgate/recipients" },
  });
});

test("all faults at once, with their paths", () => {
  expect(
    faultsOf({
      mode: "verify",
      namespace: "Team",
      upstream: {
        address: "istiod",
        tls: { cert: "c", serverName: "a b", version: 3 },
        connectTimeoutSec: 0,
        keepalive: { timeSec: "30" },
      },
      listen: [
        { address: "127.0.0.1:99999" },
        { address: "127.0.0.1:1", socketMode: "0600", tls: { key: "k", clientCert: "maybe" } },
        { address: "unix:x", socketMode: 600 },
        { address: "unix:/etc/wpgate/x" },
        "127.0.0.1:2",
      ],
      state: 7,
      admin: "yes",
      unwrap: { heartbeatSec: 0 },
      limits: { messageMaxBytes: 1, streams: 3 },
      drainSec: -1,
      log: { level: "loud", file: "x" },
      wrap: {},
      identity: {},
      extra: 1,
    }),
  ).toEqual([
    "proxy.yaml: extra: unknown member; known are mode, pin, namespace, upstream, listen, identity, state, recipient, admin, wrap, unwrap, limits, drainSec, log",
    "proxy.yaml: mode: must be one of check, unwrap, wrap, wrap+unwrap",
    "proxy.yaml: upstream.address: must be host:port or unix:PATH",
    "proxy.yaml: upstream.tls.version: unknown member; known are ca, cert, key, serverName",
    "proxy.yaml: upstream.tls: cert and key belong together",
    "proxy.yaml: upstream.tls.serverName: must be a DNS name",
    "proxy.yaml: upstream.connectTimeoutSec: must be a whole number from 1 to 3600",
    "proxy.yaml: upstream.keepalive.timeSec: must be a whole number from 1 to 3600",
    "proxy.yaml: listen[0].address: must be host:port or unix:PATH",
    "proxy.yaml: listen[1].socketMode: is of use for a Unix socket only",
    "proxy.yaml: listen[1].tls.clientCert: is of use with clientCa only",
    "proxy.yaml: listen[1].tls.cert: missing; must be a path",
    "proxy.yaml: listen[1].tls.clientCert: must be one of required, optional",
    'proxy.yaml: listen[2].socketMode: must be three octal digits in quotes such as "0660"',
    "proxy.yaml: listen[4]: must be an object",
    "proxy.yaml: listen[4].address: missing; must be host:port or unix:PATH",
    "proxy.yaml: listen[3].address: is listed before",
    "proxy.yaml: log.file: unknown member; known are level",
    "proxy.yaml: pin: missing; mode check verifies with it",
    "proxy.yaml: wrap: is of no use in mode check",
    "proxy.yaml: identity: is of no use in mode check",
    "proxy.yaml: namespace: must be a DNS label",
    "proxy.yaml: state: must be a path",
    "proxy.yaml: admin: must be host:port",
    "proxy.yaml: unwrap.heartbeatSec: must be a whole number from 1 to 3600",
    "proxy.yaml: limits.streams: unknown member; known are messageMaxBytes, requestMaxBytes, streamsMaxCount, resourcesMaxCount",
    "proxy.yaml: limits.messageMaxBytes: must be a whole number from 1024 to 1073741824",
    "proxy.yaml: drainSec: must be a whole number from 0 to 3600",
    "proxy.yaml: log.level: must be one of debug, info, warn, error, silent",
  ]);
});

describe("what a mode cannot do without", () => {
  const { pin, upstream } = CHECK;
  test.each<[string, unknown, readonly string[]]>([
    [
      "check",
      {},
      ["upstream.address: missing; must be host:port or unix:PATH", "pin: missing; mode check verifies with it"],
    ],
    ["unwrap", { upstream, mode: "unwrap" }, ["pin: missing; mode unwrap verifies with it"]],
    ["wrap+unwrap", { pin, upstream, mode: "wrap+unwrap" }, ["wrap: missing; mode wrap+unwrap signs with it"]],
    [
      "wrap",
      { pin, upstream, mode: "wrap" },
      [
        "listen: must list at least one address",
        "identity: missing; without it no node can be told from another",
        "pin: is of no use in mode wrap, which verifies nothing",
        "wrap: missing; mode wrap signs with it",
      ],
    ],
    [
      "mTLS",
      { ...WRAP, listen: [{ address: ":1" }] },
      ["identity.mtls: every address of listen needs tls.clientCa then"],
    ],
    [
      "what is said upstream",
      { ...WRAP, identity: { mtls: true, upstream: "token" } },
      ["identity.upstream: token needs identity.jwt"],
    ],
    [
      "keys of tokens",
      {
        ...WRAP,
        identity: { jwt: { issuer: "a b", audience: "x", jwks: "http://plain.example/jwks" }, upstream: "xfcc" },
      },
      [
        "identity.upstream: xfcc needs identity.mtls",
        "identity.jwt.jwks: must be a path or an https: address",
        "identity.jwt.issuer: must be a text without white space",
      ],
    ],
    [
      "another upstream than itself",
      { ...CHECK, listen: [{ address: "istiod:15012" }] },
      ["upstream.address: is an address of listen: the proxy would be its own upstream"],
    ],
    [
      "a name for a socket's certificate",
      { ...CHECK, upstream: { address: "unix:x", tls: {} } },
      ["upstream.tls.serverName: missing; the path of a socket is no name"],
    ],
  ])("%s", (_, value, faults) => {
    expect(faultsOf(value)).toEqual(expect.arrayContaining(faults.map((fault) => `proxy.yaml: ${fault}`)));
    expect(faultsOf(value)).toHaveLength(faults.length);
  });
});

test.each([[null], ["text"], [[]]])("%j is no configuration", (value) => {
  expect(faultsOf(value)[0]).toBe("proxy.yaml: (all): must be an object");
});

test.each<[string, unknown]>([
  ["check", { ...CHECK, namespace: "team-a", recipient: "r.pem", admin: "none" }],
  ["sockets", { ...CHECK, listen: [{ address: "unix:a", socketMode: "0660" }, { address: "[::1]:2" }] }],
  ["wrap", WRAP],
  ["wrap+unwrap", { ...WRAP, ...CHECK, mode: "wrap+unwrap" }],
])("what is printed is read back: %s", (_, value) => {
  const config = parseProxyConfig(value, SOURCE);
  expect(parseProxyConfig(parse(printProxyConfig(config)), { name: "printed", folder: "/" })).toEqual(config);
});

describe("options", () => {
  const folder = mkdtempSync(join(tmpdir(), "wpgate-config-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test("suffice without a file", () => {
    const config = loadProxyConfig(
      {
        ...{ upstream: "istiod:15012", upstreamCa: "ca.pem", token: "token", pin: "pin.json", state: "state" },
        ...{ listen: ["unix:etc/istio/proxy/XDS", "127.0.0.1:0"], admin: "none", logLevel: "debug" },
      },
      "/srv",
    );
    expect(config).toMatchObject({
      ...{ mode: "check", pin: "/srv/pin.json", state: "/srv/state", log: { level: "debug" } },
      upstream: { tls: { ca: "/srv/ca.pem" }, token: "/srv/token" },
      listen: [{ address: { path: "/srv/etc/istio/proxy/XDS" } }, { address: { port: 0 } }],
    });
    expect(config.admin).toBeUndefined();
  });

  test("replace members of the file, and leave the others", () => {
    const file = join(folder, "proxy.yaml");
    writeFileSync(
      file,
      "pin: pin.json\nupstream: {address: 'a:1', token: t, tls: {serverName: x}}\nlog: {level: warn}\n",
    );
    const config = loadProxyConfig({ config: file, upstream: "b:2", upstreamCa: "ca.pem" }, "/srv");
    expect(config).toMatchObject({
      ...{ pin: join(folder, "pin.json"), log: { level: "warn" } },
      upstream: {
        ...{ address: { host: "b", port: 2 }, token: join(folder, "t") },
        tls: { serverName: "x", ca: "/srv/ca.pem" },
      },
    });
  });

  test.each([
    ["is missing", undefined, "gone.yaml: cannot be read"],
    ["is not YAML", "a: [", "bad.yaml:1: "],
    ["has two documents", "---\n---\n", "two.yaml: must be one YAML document"],
    ["is empty", "", "empty.yaml: must be one YAML document"],
    ["says nothing", "null", "nothing.yaml: upstream.address: missing"],
    ["is a list", "[]", "list.yaml: (all): must be an object"],
  ])("a file that %s", (_, content, message) => {
    const name = message.slice(0, message.indexOf(".yaml") + 5);
    if (content !== undefined) writeFileSync(join(folder, name), content);
    expect(() => loadProxyConfig({ config: name }, folder)).toThrow(message);
  });
});

describe("addresses", () => {
  test.each([
    ["127.0.0.1:15010", { kind: "tcp", host: "127.0.0.1", port: 15010 }],
    ["[::1]:0", { kind: "tcp", host: "::1", port: 0 }],
    [":80", { kind: "tcp", host: "", port: 80 }],
    ["*:80", { kind: "tcp", host: "", port: 80 }],
    ["istiod.istio-system.svc:15012", { kind: "tcp", host: "istiod.istio-system.svc", port: 15012 }],
    ["unix:./a b", { kind: "unix", path: "./a b" }],
    ["unix:///run/x", { kind: "unix", path: "/run/x" }],
  ])("%s", (text, address) => {
    const parsed = parseAddress(text);
    expect(parsed).toEqual(address);
    expect(parsed && parseAddress(formatAddress(parsed))).toEqual(address);
  });

  test.each(["", "15010", "a:b:1", "::1:80", "host:65536", "host:-1", "unix:", "unix:a\nb", "http://x:1", "a b:1"])(
    "not %j",
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  test("loopback is what only this machine reaches", () => {
    expect(["localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].map(isLoopback)).not.toContain(false);
    expect(["", "0.0.0.0", "10.0.0.1", "127.0.0.1.example", "localhost.example", "::"].map(isLoopback)).not.toContain(
      true,
    );
  });
});
