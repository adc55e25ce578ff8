/** Each thing that a Guard holds istiod to: one row, which refusals, the documentation and the tests all use. */
export interface ClauseRow {
  readonly name: string;
  readonly protects: string;
  /** For a person whose configuration was refused. */
  readonly hint: string;
}

const ROWS = [
  {
    name: "undecodable",
    protects: "what is checked is what Envoy gets",
    hint: "the bytes are not the message they claim to be; look at what istiod sends",
  },
  {
    name: "unknown-type",
    protects: "nothing runs on a protected port whose meaning is not known here",
    hint: "list it under spec.code if it is wanted, or use a newer wpgate",
  },
  {
    name: "unknown-field",
    protects: "no option that is newer than this program changes what the others mean",
    hint: "use a newer wpgate, which knows this version of Envoy",
  },
  {
    name: "plain-tcp",
    protects: "every byte to a protected port goes through an HTTP filter chain",
    hint: "name the Service's port http-… or set appProtocol; or write tcp: allow for this port",
  },
  {
    name: "tls",
    protects: "clients are encrypted, and identified, as the owner says",
    hint: "set PeerAuthentication (or the Gateway's tls) to what spec.ports[].tls says",
  },
  {
    name: "filter-missing",
    protects: "the wpgate filter is in every HTTP chain of a protected port, once",
    hint: "restore the WasmPlugin, with a selector and match that cover this workload",
  },
  {
    name: "filter-source",
    protects: "the filter comes by ECDS, is always on, and nothing stands in for it",
    hint: "remove the EnvoyFilter that changes how the filter is delivered",
  },
  {
    name: "filter-order",
    protects: "nothing before the filter changes what it sees, or answers in its place",
    hint: "move the other filter behind wpgate: a later phase, or another place in its EnvoyFilter",
  },
  {
    name: "belt",
    protects: "requests that the filter has not judged are refused by Envoy itself",
    hint: "apply deploy/kubernetes/namespace/belt.yaml, or write belt: false",
  },
  {
    name: "module",
    protects: "the filter is the module that the owner pinned",
    hint: "give the WasmPlugin the url and sha256 of a module that spec.filter.sha256 lists",
  },
  {
    name: "environment",
    protects: "the filter's environment, with the key for what is sealed, is the owner's",
    hint: "make vmConfig.env of the WasmPlugin and spec.filter.environment the same",
  },
  {
    name: "failure-policy",
    protects: "a filter that fails lets nothing through",
    hint: "set failStrategy of the WasmPlugin to one that spec.filter.failurePolicy lists",
  },
  {
    name: "sandbox",
    protects: "the module runs alone in its VM, with all of its calls",
    hint: "remove vm_id, capability restrictions and VM configuration; pluginName must be spec.filter.rootId",
  },
  {
    name: "code",
    protects: "no code runs beside the filter but what the owner lists",
    hint: "remove the Lua, Wasm, ext_proc, ext_authz or other code, or list it under spec.code",
  },
  {
    name: "jwt",
    protects: "only the owner's issuers, with the owner's keys, make request principals",
    hint: "compare RequestAuthentication with spec.jwt; keys that were rotated need a new digest",
  },
  {
    name: "http",
    protects: "paths and addresses are normalised as the policies expect",
    hint: "compare the mesh's pathNormalization and gatewayTopology with spec.http",
  },
  {
    name: "http-extension",
    protects: "no option or extension of the connection manager changes requests before the filter sees them",
    hint: "remove the EnvoyFilter that adds it",
  },
  {
    name: "upgrade",
    protects: "upgraded requests go through the same filters, and no tunnel hides others",
    hint: "remove filters from upgrade_configs, and CONNECT",
  },
  {
    name: "route-source",
    protects: "routes of a protected port are the ones that were checked",
    hint: "write routes.rds: allow where routes come by RDS, as on gateways",
  },
  {
    name: "route-bypass",
    protects: "no route turns off the filter or the belt",
    hint: "remove typed_per_filter_config for wpgate from the route",
  },
  {
    name: "rewrite",
    protects: "the application gets the path, host and method that the filter has judged",
    hint: "write routes.rewrite: allow if rewriting is wanted, as on gateways",
  },
  {
    name: "exposure",
    protects: "no other listener, route or cluster leads to the protected application",
    hint: "remove the listener, route or cluster that leads to the application behind the filter",
  },
] as const;

export type Clause = (typeof ROWS)[number]["name"];

export const CLAUSES: ReadonlyMap<Clause, ClauseRow> = new Map(ROWS.map((row) => [row.name, row] as const));
