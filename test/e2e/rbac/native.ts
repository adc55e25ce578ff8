/** Short names for the parts of Envoy's RBAC configuration (envoy.config.rbac.v3), so that it can be written by hand. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Message = Readonly<Record<string, Json>>;

/** Text matchers. */
export const exact = (text: string): Message => ({ exact: text });
export const prefix = (text: string): Message => ({ prefix: text });
export const suffix = (text: string): Message => ({ suffix: text });
export const regex = (text: string): Message => ({ safe_regex: { regex: text } });
export const anyCase = (matcher: Message): Message => ({ ...matcher, ignore_case: true });

/** Permissions and principals alike. */
export const any: Message = { any: true };
export const header = (name: string, matcher: Message): Message => ({ header: { name, string_match: matcher } });
export const present = (name: string): Message => ({ header: { name, present_match: true } });
export const path = (matcher: Message): Message => ({ url_path: { path: matcher } });
export const method = (text: string): Message => header(":method", exact(text));
export const host = (matcher: Message): Message => header(":authority", anyCase(matcher));

/** Permissions only. */
export const port = (number: number): Message => ({ destination_port: number });
export const destinationIp = (address: string, bits: number): Message => ({ destination_ip: cidr(address, bits) });
export const sni = (matcher: Message): Message => ({ requested_server_name: matcher });
export const template = (pattern: string): Message => ({
  uri_template: {
    name: "uri-template",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
      path_template: pattern,
    },
  },
});
export const allOf = (...rules: readonly Message[]): Message => ({ and_rules: { rules } });
export const oneOf = (...rules: readonly Message[]): Message => ({ or_rules: { rules } });
export const noneOf = (...rules: readonly Message[]): Message => ({ not_rule: oneOf(...rules) });

/** Principals only. */
export const peer = (matcher: Message): Message => ({ authenticated: { principal_name: matcher } });
export const remoteIp = (address: string, bits: number): Message => ({ remote_ip: cidr(address, bits) });
export const allIds = (...ids: readonly Message[]): Message => ({ and_ids: { ids } });
export const oneId = (...ids: readonly Message[]): Message => ({ or_ids: { ids } });
export const noId = (...ids: readonly Message[]): Message => ({ not_id: oneId(...ids) });

/** A claim that is a text. */
export const textClaim = (name: string, matcher: Message): Message => claim([name], { string_match: matcher });
/** A claim that is a text, or an array with such a text in it. */
export const listClaim = (names: readonly string[], ...matchers: readonly Message[]): Message => {
  const texts: readonly Message[] = matchers.map((matcher) => ({ string_match: matcher }));
  const [only] = texts;
  const value = texts.length === 1 && only !== undefined ? only : { or_match: { value_matchers: texts } };
  return claim(names, { or_match: { value_matchers: [{ list_match: { one_of: value } }, value] } });
};

function claim(names: readonly string[], value: Message): Message {
  const keys = ["payload", ...names].map((key) => ({ key }));
  return { metadata: { filter: "envoy.filters.http.jwt_authn", path: keys, value } };
}

function cidr(address: string, bits: number): Message {
  return { address_prefix: address, prefix_len: bits };
}

/** One policy of an RBAC filter: a permission and a principal, of which both must match. */
export interface NativeRule {
  readonly may?: Message;
  readonly who?: Message;
}

export interface NativeRules {
  /** Present, also if empty, when the action has policies in force. */
  readonly deny?: readonly NativeRule[];
  readonly allow?: readonly NativeRule[];
  readonly dryDeny?: readonly NativeRule[];
  readonly dryAllow?: readonly NativeRule[];
}

const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/** The filters that istiod would put into a chain: DENY before ALLOW, dry-run rules as their shadows. */
export function nativeFilters({ deny, allow, dryDeny, dryAllow }: NativeRules): readonly Json[] {
  return [
    ...filter("DENY", deny, dryDeny, "istio_dry_run_deny_"),
    ...filter("ALLOW", allow, dryAllow, "istio_dry_run_allow_"),
  ];
}

function filter(
  action: string,
  rules: readonly NativeRule[] | undefined,
  shadow: readonly NativeRule[] | undefined,
  prefix: string,
): readonly Json[] {
  if (rules === undefined && shadow === undefined) return [];
  return [
    {
      name: `rbac-${action.toLowerCase()}`,
      typed_config: {
        "@type": RBAC,
        ...(rules && { rules: rbac(action, rules) }),
        ...(shadow && { shadow_rules: rbac(action, shadow), shadow_rules_stat_prefix: prefix }),
      },
    },
  ];
}

function rbac(action: string, rules: readonly NativeRule[]): Json {
  const policies = rules.map(({ may = any, who = any }, index) => [
    `rule-${index}`,
    { permissions: [may], principals: [who] },
  ]);
  return { action, policies: Object.fromEntries(policies) as Json };
}
