/** Reads and checks the configuration of `wpgate proxy`; paths in it are relative to the folder that it lies in. */
import { ConfigError } from "../errors.ts";
import { formatAddress } from "./addresses.ts";
import { PlaceChecker } from "./place-checker.ts";
import { LOG_LEVELS, PROXY_MODES, type ProxyConfig, type ProxyLimits, type ProxyMode } from "./proxy-config.ts";
import { DEFAULT_LISTEN, readListen, readUpstream } from "./proxy-schema-edges.ts";
import { isGiven, readHeartbeatSec, readIdentity, readWrap } from "./proxy-schema-wrap.ts";
import { deepFreeze, LABEL } from "./schema.ts";

export interface ConfigSource {
  /** What the faults' paths begin with, such as the file's name. */
  readonly name: string;
  /** Relative paths start here. */
  readonly folder: string;
}

const DEFAULT_ADMIN = "127.0.0.1:15081";
const DEFAULT_STATE = "/var/lib/wpgate";
const DEFAULT_DRAIN_SEC = 5;
const HOUR_SEC = 3_600;
const KIB = 1024;
const MIB = 1024 * KIB;

const MEMBERS = [
  ...["mode", "pin", "namespace", "upstream", "listen", "identity", "state", "recipient", "admin", "wrap", "unwrap"],
  ...["limits", "drainSec", "log"],
];

export function wraps(mode: ProxyMode): boolean {
  return mode === "wrap" || mode === "wrap+unwrap";
}

/** @throws ConfigError with every fault */
export function parseProxyConfig(value: unknown, { name, folder }: ConfigSource): ProxyConfig {
  const checker = new PlaceChecker(folder);
  const config = read(checker, checker.object(value, "", MEMBERS), folder);
  if (checker.faults.length === 0) return deepFreeze(config);
  throw new ConfigError(checker.faults.map(({ path, message }) => ({ path: `${name}: ${path || "(all)"}`, message })));
}

function read(checker: PlaceChecker, given: Readonly<Record<string, unknown>>, folder: string): ProxyConfig {
  const mode = checker.choice(given["mode"], "mode", PROXY_MODES);
  const { namespace, wrap, identity, admin = DEFAULT_ADMIN } = given;
  const upstream = readUpstream(checker, given["upstream"]);
  const listen = readListen(checker, given["listen"], mode === "wrap" ? undefined : [{ address: DEFAULT_LISTEN }]);
  if (listen.some(({ address }) => formatAddress(address) === formatAddress(upstream.address)))
    checker.fault("upstream.address", "is an address of listen: the proxy would be its own upstream");
  const unwrap = checker.object(given["unwrap"] ?? {}, "unwrap", ["heartbeatSec"]);
  const log = checker.object(given["log"] ?? {}, "log", ["level"]);
  checkMode(checker, mode, given);
  return {
    mode,
    ...checker.optionalFile(given["pin"], "pin", "pin"),
    ...(namespace !== undefined && { namespace: checker.text(namespace, "namespace", LABEL) }),
    upstream,
    listen,
    identity: readIdentity(checker, identity, { folder, listen }),
    state: checker.file(given["state"] ?? DEFAULT_STATE, "state"),
    ...checker.optionalFile(given["recipient"], "recipient", "recipient"),
    ...(admin !== "none" && { admin: checker.tcpAddress(admin, "admin") }),
    ...(wraps(mode) && wrap !== undefined && { wrap: readWrap(checker, wrap) }),
    unwrap: { heartbeatSec: readHeartbeatSec(checker, unwrap["heartbeatSec"], "unwrap.heartbeatSec") },
    limits: readLimits(checker, given["limits"]),
    drainSec: checker.integer(given["drainSec"], "drainSec", { min: 0, max: HOUR_SEC, default: DEFAULT_DRAIN_SEC }),
    log: { level: checker.choice(log["level"] ?? "info", "log.level", LOG_LEVELS) },
  };
}

/** What a mode cannot do without, and what it would leave unused. */
function checkMode(checker: PlaceChecker, mode: ProxyMode, given: Readonly<Record<string, unknown>>): void {
  const { pin, wrap, identity, recipient } = given;
  if (mode === "wrap") {
    if (!isGiven(identity)) checker.fault("identity", "missing; without it no node can be told from another");
    if (pin !== undefined) checker.fault("pin", "is of no use in mode wrap, which verifies nothing");
    if (recipient !== undefined) checker.fault("recipient", "is of no use in mode wrap, which opens nothing");
  } else if (pin === undefined) {
    checker.fault("pin", `missing; mode ${mode} verifies with it`);
  }
  if (wraps(mode)) {
    if (wrap === undefined) checker.fault("wrap", `missing; mode ${mode} signs with it`);
    return;
  }
  if (wrap !== undefined) checker.fault("wrap", `is of no use in mode ${mode}`);
  if (identity !== undefined) checker.fault("identity", `is of no use in mode ${mode}`);
}

function readLimits(checker: PlaceChecker, value: unknown): ProxyLimits {
  const names = ["messageMaxBytes", "requestMaxBytes", "streamsMaxCount", "resourcesMaxCount"] as const;
  const given = checker.object(value ?? {}, "limits", names);
  const read = (name: (typeof names)[number], min: number, max: number, fallback: number): number =>
    checker.integer(given[name], `limits.${name}`, { min, max, default: fallback });
  return {
    messageMaxBytes: read("messageMaxBytes", KIB, 1024 * MIB, 64 * MIB),
    requestMaxBytes: read("requestMaxBytes", KIB, 64 * MIB, 4 * MIB),
    streamsMaxCount: read("streamsMaxCount", 1, 100_000, 2_000),
    resourcesMaxCount: read("resourcesMaxCount", 1, 10_000_000, 100_000),
  };
}
