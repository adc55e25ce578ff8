// Imports point down these lists only (ARCHITECTURE.md, "Layers"); a cycle is an error.
const FILTER = ["gen", "bytes", "crypto", "wire", "envelope", "policy", "abi", "plugin"];
const FILTER_MAY = {
  gen: [],
  bytes: ["gen"],
  crypto: ["gen", "bytes"],
  wire: ["gen", "bytes"],
  envelope: ["gen", "bytes", "crypto", "wire"],
  policy: ["gen", "bytes", "wire"],
  abi: ["gen", "bytes"],
  plugin: FILTER,
};
const PROXY = [
  "gen",
  "bytes",
  "crypto",
  "envelope",
  "webpush",
  "policy",
  "config",
  "pin",
  "owner",
  "xds",
  "guard",
  "push",
  "identity",
  "store",
  "modules",
  "grpc",
  "http",
  "proxy",
  "kubernetes",
  "demo",
  "cli",
];
const PROXY_MAY = {
  gen: [],
  bytes: ["gen"],
  crypto: ["gen", "bytes"],
  envelope: ["gen", "bytes", "crypto"],
  webpush: ["gen", "bytes", "crypto"],
  policy: ["gen", "bytes", "envelope"],
  xds: ["gen", "bytes"],
  guard: ["gen", "bytes", "crypto", "envelope", "xds"],
  push: ["gen", "bytes", "crypto", "envelope", "xds"],
  identity: ["gen", "bytes"],
  store: ["gen", "bytes", "envelope", "owner", "xds"],
  modules: ["gen", "bytes", "crypto"],
  grpc: ["gen", "bytes", "config", "identity", "xds"],
  http: ["gen"],
  proxy: PROXY.slice(0, PROXY.indexOf("proxy")),
  config: ["gen", "bytes"],
  pin: ["gen", "bytes"],
  owner: ["gen", "bytes", "crypto", "envelope", "policy", "guard"],
  kubernetes: ["gen", "bytes", "envelope", "owner"],
  demo: ["gen", "bytes", "crypto", "envelope", "webpush", "policy", "owner", "pin"],
  cli: PROXY,
};

const layers = (root, layerNames, may) =>
  layerNames.map((name) => ({
    name: `${root}: ${name}`,
    severity: "error",
    from: { path: `^${root}/${name}/` },
    to: {
      path: `^${root}/(${layerNames.filter((other) => other !== name && !may[name].includes(other)).join("|") || "-"})/`,
    },
  }));

module.exports = {
  forbidden: [
    { name: "no cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "sources do not know tests",
      severity: "error",
      from: { path: "^(filter|xds-proxy)/", pathNot: "\\.test\\.ts$" },
      to: { path: "^test/" },
    },
    ...layers("filter/assembly", FILTER, FILTER_MAY),
    ...layers("xds-proxy/src", PROXY, PROXY_MAY),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    exclude: "^node_modules",
  },
};
