import fc from "fast-check";
import type { PolicyKnobs, PolicyNode, PolicyRequest } from "../../xds-proxy/src/policy/types.ts";

/** Few letters and small vocabularies, so that policies and requests meet often. */
const word = fc.constantFrom("a", "b", "ab", "ba", "aab", "ns", "sa", "admin", "é", "A");
const star = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: inner },
    { weight: 1, arbitrary: fc.constant("*") },
    { weight: 2, arbitrary: inner.map((text) => `${text}*`) },
    { weight: 2, arbitrary: inner.map((text) => `*${text}`) },
    { weight: 1, arbitrary: inner.map((text) => `*${text}*`) },
    { weight: 1, arbitrary: fc.tuple(inner, inner).map(([left, right]) => `${left}*${right}`) },
  );

const segment = fc.constantFrom(
  "a",
  "b",
  "ab",
  "a.b",
  "a=b",
  "a;b",
  "a*b",
  "a|b",
  "%2f",
  "..",
  ".",
  "",
  "{",
  "a%2Eb",
  "é",
);
const path = fc.array(segment, { minLength: 0, maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
const templateSegment = fc.constantFrom("a", "b", "ab", "a=b", "a*b", "{*}", "{*}", "{**}");
const template = fc
  .tuple(fc.array(templateSegment, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "/"))
  .map(([segments, end]) => `/${segments.join("/")}${end}`);
const pathValue = fc.oneof(star(path), template);

const trustDomain = fc.constantFrom(
  ...["cluster.local", "td1", "td2", "x1", "*", "td*", "*1", "*d1", "*local", "x1*", "", "**", "t*1", "*x1*"],
);
const account = fc.constantFrom("a", "b", "ab");
const principal = fc.oneof(
  fc.tuple(trustDomain, account, account).map(([domain, ns, sa]) => `${domain}/ns/${ns}/sa/${sa}`),
  fc.tuple(trustDomain, account).map(([domain, ns]) => `${domain}/ns/${ns}/*`),
  fc.tuple(trustDomain, account, account).map(([domain, ns, sa]) => `${domain}/ns/${ns}/sa/${sa}*`),
  fc.tuple(trustDomain, fc.constantFrom("", "/ns", "/ns/a/sa", "/ns/a/sa/b/x")).map((parts) => parts.join("")),
  star(word),
);
const TRUST_DOMAINS = ["cluster.local", "td1", "td2", "x1"];
const identity = fc
  .tuple(fc.constantFrom(...TRUST_DOMAINS), account, account)
  .map(([domain, ns, sa]) => `spiffe://${domain}/ns/${ns}/sa/${sa}`);
const oddIdentity = fc
  .tuple(fc.constantFrom(...TRUST_DOMAINS), fc.constantFrom("", "/", "/ns", "/ns/a/sa", "/ns/a/sa/b/x", "/ns/a/sa/b*"))
  .map(([domain, end]) => `spiffe://${domain}${end}`);
const spiffe = fc.oneof(
  identity,
  fc
    .array(fc.constantFrom("ns", "sa", "a", "b", "spiffe:", "", "td1", "sa/a", "ns/a"), { maxLength: 9 })
    .map((pieces) => pieces.join("/")),
  fc.constantFrom("spiffe://td1/ns/a/x/sa/a/y", "spiffe://td1/ns/team/sa/a/", "spiffe://td1/ns/team/sa/ab"),
  fc.constant("spiffe://td1/ns/a/sa/a\n"),
  fc.constant("CN=a"),
);

const ipv4 = fc.oneof(
  fc.constantFrom("10.0.0.1", "10.1.2.3", "192.168.0.1", "0.0.0.0", "255.255.255.255"),
  // One bit away from the first.
  fc
    .nat({ max: 31 })
    .map((bit) => [10, 0, 0, 1].map((octet, i) => (i === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet)).join(".")),
);
const ipv6 = fc.constantFrom("::1", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1", "2001:db8:0:0:1::", "1:2:3:4:5:6:7:8");
const block = fc.oneof(
  ipv4,
  ipv6,
  fc.tuple(ipv4, fc.integer({ min: 0, max: 33 })).map(([ip, bits]) => `${ip}/${bits}`),
  fc.tuple(ipv6, fc.constantFrom(0, 1, 7, 8, 32, 96, 104, 127, 128, 129)).map(([ip, bits]) => `${ip}/${bits}`),
  fc.constantFrom("10.0.0", "10.0.0.01", "::1::", "10.0.0.0/08", "fe80::1%1", "1:2:3:4:5:6:7", ":1", "1:", "::1.2.3"),
);
const socketAddress = fc.oneof(
  fc.tuple(ipv4, fc.constantFrom(":80", ":8080", "", ":65536", ":08")).map((parts) => parts.join("")),
  fc.tuple(ipv6, fc.constantFrom("]:80", "]:8080", "]")).map(([ip, end]) => `[${ip}${end}`),
  fc.constantFrom("/run/socket", "fe80::1", "[fe80::1%2]:80", "", "[", "]:1", "10.0.0.1:"),
);

const host = fc.constantFrom("a.b", "A.b", "a.b:80", "a.b.", "b", "xa.b", "[::1]:80");
const method = fc.constantFrom("GET", "POST", "PUT", "get");
const claimValue = star(word);
const requestPrincipal = fc.oneof(
  star(
    fc.tuple(fc.constantFrom("iss", "https://iss", "a"), fc.constantFrom("a", "b", "ab", "")).map((p) => p.join("/")),
  ),
  star(word),
  fc.constantFrom("*/*", "iss/*a*", "/a", "*/", "iss/*"),
);
const port = fc.constantFrom("80", "8080", "0", "65535", "65536", "080");
const serviceAccount = fc.constantFrom("a", "b", "ab", "a/a", "a/b", "ns/sa", "*", "a/b/c", "/a");
const trustDomainValue = fc.oneof(fc.constantFrom("td1", "td2", "x1", "td*", "*1", "*", "a*b", "t/d", "cluster.local"));

const valuesOf = (value: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.array(value, { minLength: 1, maxLength: 3 });

/** One or two of the members: more of them hardly ever hold together. */
const some = (members: Readonly<Record<string, fc.Arbitrary<string[]>>>): fc.Arbitrary<Record<string, string[]>> =>
  fc
    .subarray(Object.keys(members), { minLength: 1, maxLength: 2 })
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, members[name]!]))));

const source = some({
  principals: valuesOf(principal),
  notPrincipals: valuesOf(principal),
  requestPrincipals: valuesOf(requestPrincipal),
  notRequestPrincipals: valuesOf(requestPrincipal),
  namespaces: valuesOf(star(account)),
  notNamespaces: valuesOf(star(account)),
  serviceAccounts: valuesOf(serviceAccount),
  notServiceAccounts: valuesOf(serviceAccount),
  trustDomains: valuesOf(trustDomainValue),
  notTrustDomains: valuesOf(trustDomainValue),
  remoteIpBlocks: valuesOf(block),
  notRemoteIpBlocks: valuesOf(block),
});
const operation = some({
  hosts: valuesOf(star(host)),
  notHosts: valuesOf(star(host)),
  ports: valuesOf(port),
  notPorts: valuesOf(port),
  methods: valuesOf(star(method)),
  notMethods: valuesOf(star(method)),
  paths: valuesOf(pathValue),
  notPaths: valuesOf(pathValue),
});

const when = fc
  .oneof(
    fc.tuple(fc.constantFrom("request.headers[x-a]", "request.headers[X-B]", "request.headers[host]"), star(word)),
    fc.tuple(fc.constantFrom("request.headers[:path]", "request.headers[:method]"), star(fc.oneof(path, method))),
    fc.tuple(fc.constant("source.principal"), principal),
    fc.tuple(fc.constant("source.namespace"), star(account)),
    fc.tuple(fc.constant("source.serviceAccount"), serviceAccount),
    fc.tuple(fc.constant("source.trustDomain"), trustDomainValue),
    fc.tuple(fc.constantFrom("remote.ip", "destination.ip"), block),
    fc.tuple(fc.constant("destination.port"), port),
    fc.tuple(fc.constant("connection.sni"), star(host)),
    fc.tuple(fc.constant("request.auth.principal"), requestPrincipal),
    fc.tuple(
      fc.constantFrom(
        "request.auth.audiences",
        "request.auth.presenter",
        "request.auth.claims[groups]",
        "request.auth.claims[nested][groups]",
        "request.auth.claims[iss]",
      ),
      claimValue,
    ),
  )
  .chain(([key, one]) =>
    fc.record(
      { key: fc.constant(key), values: fc.constant([one]), notValues: fc.constant([one]) },
      { requiredKeys: ["key"] },
    ),
  );

const rule = fc.record(
  {
    from: fc.array(
      source.map((inner) => ({ source: inner })),
      { minLength: 1, maxLength: 2 },
    ),
    to: fc.array(
      operation.map((inner) => ({ operation: inner })),
      { minLength: 1, maxLength: 2 },
    ),
    when: fc.array(when, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const peerSource = some({
  principals: valuesOf(principal),
  notPrincipals: valuesOf(principal),
  trustDomains: valuesOf(trustDomainValue),
  notTrustDomains: valuesOf(trustDomainValue),
});
const peerWhen = fc.oneof(
  fc.tuple(fc.constant("source.principal"), valuesOf(principal)),
  fc.tuple(fc.constant("source.trustDomain"), valuesOf(trustDomainValue)),
);
/** A rule that looks at the client's certificate only. */
const peerRule = fc.oneof(
  peerSource.map((inner) => ({ from: [{ source: inner }] })),
  peerWhen.map(([key, values]) => ({ when: [{ key, values }] })),
  peerWhen.map(([key, notValues]) => ({ when: [{ key, notValues }] })),
);

/** An AuthorizationPolicy whose rules ask for the client's name. */
export const peerDocument: fc.Arbitrary<unknown> = fc.record({
  apiVersion: fc.constant("security.istio.io/v1"),
  kind: fc.constant("AuthorizationPolicy"),
  metadata: fc.record({ name: fc.constantFrom("a", "b", "c"), namespace: fc.constant("root") }),
  spec: fc.record({
    action: fc.constantFrom("ALLOW", "ALLOW", "DENY"),
    rules: fc.array(peerRule, { minLength: 1, maxLength: 6 }),
  }),
});

/** A request of a client with such a name. */
export const peerRequest: fc.Arbitrary<PolicyRequest> = fc.record(
  {
    peerUri: fc.oneof({ weight: 5, arbitrary: identity }, { weight: 1, arbitrary: oddIdentity }),
    peerDns: fc.oneof(fc.constant("a.b"), identity),
  },
  { requiredKeys: ["peerUri"] },
);

/** Rules of which several match the same request. */
const crowdedRule = fc
  .array(fc.constantFrom("/a", "/a/*", "/*", "/a/b", "/a/{*}", "*"), { minLength: 1, maxLength: 3 })
  .map((paths) => ({ to: [{ operation: { paths } }] }));

/** An AuthorizationPolicy that is often, but not always, valid. */
export const policyDocument: fc.Arbitrary<unknown> = fc.record({
  apiVersion: fc.constant("security.istio.io/v1"),
  kind: fc.constant("AuthorizationPolicy"),
  metadata: fc.record(
    {
      name: fc.constantFrom("a", "b", "c", "aa"),
      namespace: fc.constantFrom("team", "team", "root", "root", "other"),
      annotations: fc.record({ "istio.io/dry-run": fc.constantFrom("true", "false", "1", "yes") }),
    },
    { requiredKeys: ["name", "namespace"] },
  ),
  spec: fc.record(
    {
      action: fc.constantFrom("ALLOW", "ALLOW", "DENY", "DENY", "AUDIT", "CUSTOM"),
      selector: fc.record({ matchLabels: fc.constantFrom({ app: "x" }, { app: "y" }, {}) }, { requiredKeys: [] }),
      rules: fc.oneof(fc.array(rule, { maxLength: 3 }), fc.array(crowdedRule, { maxLength: 12 })),
    },
    { requiredKeys: [] },
  ),
});

const claims: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    iss: fc.oneof(fc.constantFrom("iss", "https://iss", "a"), word),
    sub: fc.oneof(fc.constantFrom("a", "b", "ab", ""), word, fc.constant(["a"])),
    aud: fc.oneof(word, fc.array(word, { maxLength: 2 })),
    azp: word,
    groups: fc.oneof(word, fc.array(fc.oneof(word, fc.constant(7)), { maxLength: 3 }), fc.constant(true)),
    nested: fc.record({ groups: fc.oneof(word, fc.array(word, { maxLength: 2 })) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

export const policyRequest: fc.Arbitrary<PolicyRequest> = fc.record(
  {
    path: fc
      .tuple(path, fc.constantFrom("", "?q=/a", "#f", "/"), fc.constantFrom("", "\xff"))
      .map(([text, end, raw]) => latin1(text) + end + raw),
    method,
    host: host.map(latin1),
    remoteAddress: socketAddress,
    destinationAddress: socketAddress,
    peerUri: spiffe.map(latin1),
    peerDns: fc.constantFrom("a.b", "spiffe://td1/ns/a/sa/a"),
    peerSubject: fc.constantFrom("CN=a", ""),
    sni: host.map(latin1),
    headers: fc.array(fc.tuple(fc.constantFrom("x-a", "x-b", "x-c"), fc.oneof(word, path).map(latin1)), {
      maxLength: 4,
    }),
    claims,
  },
  { requiredKeys: ["path", "host"] },
);

export const policyNode: fc.Arbitrary<PolicyNode> = fc
  .shuffledSubarray(TRUST_DOMAINS, { minLength: 1 })
  .chain(([trustDomain = "", ...aliases]) =>
    fc.record({
      namespace: fc.constantFrom("team", "root"),
      rootNamespace: fc.constant("root"),
      trustDomain: fc.constant(trustDomain),
      trustDomainAliases: fc.constant(aliases.length === 0 ? undefined : aliases),
      labels: fc.constantFrom({}, { app: "x" }, { app: "y", other: "z" }),
    }),
  );

export const policyKnobs: fc.Arbitrary<PolicyKnobs> = fc.record({
  default: fc.constantFrom("deny", "istio"),
  paths: fc.constantFrom("strict", "istio"),
});
