/** What the edges leave to others: the log's lines, and when a lost upstream is tried again. */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { createLog, LOG_EVENTS, type LogOptions } from "../../xds-proxy/src/log.ts";
import {
  afterFailure,
  NEVER_FAILED,
  RECONNECT,
  type ReconnectState,
} from "../../xds-proxy/src/proxy/check/reconnect.ts";

function written(options: Partial<LogOptions>, use: (log: ReturnType<typeof createLog>) => void): readonly string[] {
  const lines: string[] = [];
  const nowMs = (): number => Date.parse("2030-01-01T12:00:00.007Z");
  use(createLog({ level: "info", readable: false, nowMs, write: (line) => lines.push(line), ...options }));
  return lines;
}

describe("the log", () => {
  test("is JSON, a line for each event", () => {
    const lines = written({}, (log) => {
      log.warn(LOG_EVENTS.streamRefused, { address: "10.0.0.7:1", reason: "too many" });
      log.info(LOG_EVENTS.draining);
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ level: "warn", time: "2030-01-01T12:00:00.007Z", event: "stream.refused" },
        ...{ address: "10.0.0.7:1", reason: "too many" },
      },
      { level: "info", time: "2030-01-01T12:00:00.007Z", event: "proxy.draining" },
    ]);
    expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  });

  test("is for people on a terminal, and nobody writes lines of his own", () => {
    const lines = written({ readable: true }, (log) => {
      log.error(LOG_EVENTS.responseRefused, {
        ...{ node: "sidecar~10.0.0.7", count: 2, names: ["a", "b"], plain: false },
        reason: "two\nlines \u001b[31mred\u202e",
      });
    });
    expect(lines).toEqual([
      '12:00:00.007 error response.refused  node=sidecar~10.0.0.7 count=2 names=a,b plain=false reason="two\\nlines red?"\n',
    ]);
  });

  test("leaves out what is less important than its level", () => {
    const all = (level: LogOptions["level"]): number =>
      written({ level }, (log) => {
        for (const name of ["debug", "info", "warn", "error"] as const) log[name](LOG_EVENTS.started);
      }).length;
    expect((["debug", "info", "warn", "error", "silent"] as const).map(all)).toEqual([4, 3, 2, 1, 0]);
  });

  test("has each name once", () => {
    const names = Object.values(LOG_EVENTS);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("a lost upstream", () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

  test("is waited for twice as long after each failure, up to a bound, never less than half of that", () => {
    fc.assert(
      fc.property(fc.nat(2_000), random, (failuresCount, chance) => {
        const { state, waitMs } = afterFailure(RECONNECT, { failuresCount }, { livedMs: 0, random: chance });
        const ceilingMs = Math.min(RECONNECT.maxMs, RECONNECT.firstMs * 2 ** failuresCount);
        expect(state.failuresCount).toBe(failuresCount + 1);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(ceilingMs / 2));
        expect(waitMs).toBeLessThanOrEqual(Math.ceil(ceilingMs));
      }),
    );
  });

  test("counts from the beginning after a stream that lived", () => {
    let state: ReconnectState = NEVER_FAILED;
    const waits: number[] = [];
    for (const livedMs of [0, 0, 0, RECONNECT.healthyMs - 1, RECONNECT.healthyMs, 0]) {
      const next = afterFailure(RECONNECT, state, { livedMs, random: 0 });
      state = next.state;
      waits.push(next.waitMs);
    }
    expect(waits).toEqual([125, 250, 500, 1000, 125, 250]);
  });
});
