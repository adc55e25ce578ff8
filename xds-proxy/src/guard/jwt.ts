/** Who may make request principals: the providers of jwt_authn. */
import type {
  JwtAuthentication,
  JwtProvider,
} from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { sha256Hex } from "./code.ts";
import type { Findings } from "./findings.ts";
import type { AllowedIssuer, Guard } from "./types.ts";

/** Envoy's own default; more would keep tokens alive. */
const CLOCK_SKEW_MAX_SEC = 60;

export function checkJwt({ providers }: JwtAuthentication, where: string, guard: Guard, findings: Findings): void {
  for (const [name, provider] of Object.entries(providers)) {
    const at = `${where}.providers[${JSON.stringify(name)}]`;
    const listed = guard.jwt.filter(({ issuer }) => issuer === provider.issuer);
    if (listed.length === 0) findings.add("jwt", at, `issuer ${JSON.stringify(provider.issuer)} is not in spec.jwt`);
    else if (!listed.some((issuer) => faultOf(provider, issuer) === undefined))
      for (const issuer of listed) findings.add("jwt", at, faultOf(provider, issuer) ?? "");
  }
}

function faultOf(provider: JwtProvider, allowed: AllowedIssuer): string | undefined {
  const keys = keysFault(provider, allowed);
  if (keys !== undefined) return keys;
  const { audiences, outputHeaders } = allowed;
  if (audiences !== undefined && provider.audiences.toSorted().join("\n") !== audiences.toSorted().join("\n"))
    return `audiences are ${JSON.stringify(provider.audiences)}`;
  const headers = [provider.forwardPayloadHeader, ...provider.claimToHeaders.map(({ headerName }) => headerName)];
  const other = headers.find((header) => header !== "" && !outputHeaders.includes(header.toLowerCase()));
  if (other !== undefined) return `claims are written to the header ${other}, which the filter then sees`;
  if (provider.clockSkewSeconds > CLOCK_SKEW_MAX_SEC)
    return `tokens are taken ${provider.clockSkewSeconds} s after their end`;
  return undefined;
}

function keysFault({ jwksSourceSpecifier: source }: JwtProvider, allowed: AllowedIssuer): string | undefined {
  if (source.case === "remoteJwks") {
    const uri = source.value.httpUri?.uri ?? "";
    return allowed.jwksUri.includes(uri) ? undefined : `keys come from ${uri}, which spec.jwt does not list`;
  }
  const specifier = source.case === "localJwks" ? source.value.specifier : undefined;
  if (specifier?.case !== "inlineString" && specifier?.case !== "inlineBytes") return "keys are not inline";
  const digest = sha256Hex(specifier.value);
  return allowed.jwksSha256.includes(digest)
    ? undefined
    : `the keys have the digest ${digest}, which spec.jwt does not list`;
}
