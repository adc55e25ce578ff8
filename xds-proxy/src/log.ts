/**
 * The proxy's log: events with names that stay the same, and fields. Never a token, a key, a payload or a header's value; of
 * keys the id, of content the first digits of its digest.
 */
import { pino } from "pino";
import { stripVTControlCharacters } from "node:util";
import type { LogLevel } from "./config/proxy-config.ts";

/** Every event; the name is what alerts and people search for. */
export const LOG_EVENTS = {
  started: "proxy.started",
  draining: "proxy.draining",
  streamOpened: "stream.opened",
  streamEnded: "stream.ended",
  /** It broke, or something that was to be done for it could not be. */
  streamFailed: "stream.failed",
  /** A stream that was turned away: too many, another namespace, not authenticated. */
  streamRefused: "stream.refused",
  upstreamConnected: "upstream.connected",
  upstreamLost: "upstream.lost",
  /** All of it, or resources of it: by code or clause. */
  responseRefused: "response.refused",
  /** Envoy has refused what passed here. */
  nodeNack: "node.nack",
  trustAdvanced: "trust.advanced",
  trustStale: "trust.stale",
  storeFailed: "store.failed",
  tlsReloaded: "tls.reloaded",
  /** The files are there and do not fit or cannot be read; what was loaded before stays. */
  tlsReloadFailed: "tls.reload_failed",
} as const;
export type LogEvent = (typeof LOG_EVENTS)[keyof typeof LOG_EVENTS];

export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Logger {
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
}

const nothing = (): void => undefined;

export const NO_LOG: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export interface LogOptions {
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  /** Lines for people instead of JSON. */
  readonly readable: boolean;
  readonly nowMs: () => number;
}

export function createLog({ level, write, readable, nowMs }: LogOptions): Logger {
  const log = pino(
    {
      level,
      base: null,
      messageKey: "event",
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line) => {
        write(readable ? readableLine(line) : line);
      },
    },
  );
  const at =
    (name: keyof Logger) =>
    (event: LogEvent, fields: LogFields = {}): void => {
      log[name](fields, event);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** `12:00:00.000 warn  stream.refused  address=10.0.0.1:5 reason="too many"`. */
function readableLine(json: string): string {
  const { level, time, event, ...fields } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${shownValue(value)}`);
  return (
    `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(event)}  ${shown.join(" ")}`.trimEnd() + "\n"
  );
}

function shownValue(value: unknown): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  // JSON escapes control characters, and leaves what changes the direction of text.
  const safe = stripVTControlCharacters(text).replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return /^[\w.:/,@~*[\]-]+$/.test(safe) ? safe : JSON.stringify(safe);
}
