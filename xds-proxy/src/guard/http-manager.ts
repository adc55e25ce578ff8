/** Options of the connection manager that decide what the filter, and the application, get to see. */
import type {
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCertDetails,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashesAction,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { HttpConnectionManager } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Findings } from "./findings.ts";
import { ESCAPED_SLASHES, FORWARD_CLIENT_CERT, type Guard, type HttpOptions } from "./types.ts";

const TUNNELS: ReadonlySet<string> = new Set(["connect", "connect-udp"]);

export function checkHttpManager(
  manager: HttpConnectionManager,
  where: string,
  guard: Guard,
  findings: Findings,
): void {
  const actual = httpOptionsOf(manager);
  for (const [name, wanted] of Object.entries(guard.http) as [keyof HttpOptions, unknown][])
    findings.unless(
      actual[name] === wanted,
      "http",
      where,
      `${name} is ${String(actual[name])}, and must be ${String(wanted)}`,
    );
  for (const reason of extensionsOf(manager)) findings.add("http-extension", where, reason);
  manager.upgradeConfigs.forEach(({ upgradeType, filters, enabled }, index) => {
    const at = `${where}.upgrade_configs[${index}]`;
    findings.unless(
      filters.length === 0,
      "upgrade",
      at,
      `requests that upgrade to ${upgradeType} have filters of their own`,
    );
    const isTunnel = TUNNELS.has(upgradeType.toLowerCase()) && enabled !== false;
    findings.unless(!isTunnel, "upgrade", at, "a tunnel hides the requests in it");
  });
}

/** As they are in force, the default where nothing is said. */
export function httpOptionsOf(manager: HttpConnectionManager): Required<HttpOptions> {
  return {
    normalizePath: manager.normalizePath ?? false,
    mergeSlashes: manager.mergeSlashes,
    pathWithEscapedSlashesAction:
      ESCAPED_SLASHES[escapedSlashes(manager.pathWithEscapedSlashesAction)] ?? "KEEP_UNCHANGED",
    useRemoteAddress: manager.useRemoteAddress ?? false,
    xffNumTrustedHops: manager.xffNumTrustedHops,
    forwardClientCertDetails: FORWARD_CLIENT_CERT[forwardClientCert(manager.forwardClientCertDetails)] ?? "SANITIZE",
  };
}

/** The names of the enums are in the order of their numbers. */
function escapedSlashes(action: EscapedSlashesAction): number {
  return action;
}

function forwardClientCert(details: ForwardClientCertDetails): number {
  return details;
}

function extensionsOf(manager: HttpConnectionManager): readonly string[] {
  const { httpProtocolOptions: http1 } = manager;
  const found: readonly (readonly [boolean, string])[] = [
    [manager.originalIpDetectionExtensions.length > 0, "another extension says where a request comes from"],
    [manager.earlyHeaderMutationExtensions.length > 0, "headers are changed before the filter sees them"],
    [manager.typedHeaderValidationConfig !== undefined, "another extension normalises headers and paths"],
    [manager.pathNormalizationOptions !== undefined, "path_normalization_options takes the place of normalize_path"],
    [manager.representIpv4RemoteAddressAsIpv4MappedIpv6, "addresses of IPv4 are shown as those of IPv6"],
    [http1?.allowChunkedLength === true, "requests with two lengths are taken, which others read in another way"],
  ];
  return found.flatMap(([holds, reason]) => (holds ? [reason] : []));
}
