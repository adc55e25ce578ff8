/** When a receiver has heard nothing for too long (docs/envelope.md section 10.4). */
import { describe, expect, test } from "vitest";
import { CLUSTERS, codeOf, HEARTBEAT_SEC, responseOf, Stage } from "./stage.ts";

/** Interval and grace. */
const SILENCE_MS = HEARTBEAT_SEC * 1500;

/** What is left until silence is a fault. */
function leftMs({ receiver, clock }: Stage): number {
  return receiver.silentAfterMs - clock.monotonicMs;
}

async function beat(stage: Stage): Promise<void> {
  expect(codeOf(stage.receiver.take(await stage.session.heartbeat()))).toBe("heartbeat");
}

describe("silence", () => {
  test("is a fault after the configured interval and its grace, before anything came", async () => {
    const stage = await Stage.unopened();
    expect(leftMs(stage)).toBe(SILENCE_MS);
    stage.receiver.take(await stage.session.announceRoots());
    stage.pass(SILENCE_MS);
    expect(leftMs(stage)).toBe(0);
  });

  test("is counted anew from each heartbeat and each push", async () => {
    const stage = await Stage.open();
    stage.pass(20_000);
    expect(leftMs(stage)).toBe(SILENCE_MS - 20_000);
    await beat(stage);
    expect(leftMs(stage)).toBe(SILENCE_MS);
    stage.pass(30_000);
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("response");
    expect(leftMs(stage)).toBe(SILENCE_MS);
  });

  test("may be as long as the last heartbeat says", async () => {
    const stage = await Stage.open({ session: { heartbeatSec: 5 } });
    await beat(stage);
    expect(leftMs(stage)).toBe(8_000);
    await stage.push(CLUSTERS, responseOf(CLUSTERS));
    expect(leftMs(stage)).toBe(8_000);
  });

  test("is not counted by roots, which anybody can send again", async () => {
    const stage = await Stage.open();
    const roots = await stage.session.announceRoots();
    stage.pass(20_000);
    expect(codeOf(stage.receiver.take(roots))).toBe("roots");
    expect(leftMs(stage)).toBe(SILENCE_MS - 20_000);
  });

  test("is not what the receiver itself did not listen to", async () => {
    const stage = await Stage.open();
    stage.pass(SILENCE_MS + 5_000);
    expect(leftMs(stage)).toBe(-5_000);
    stage.receiver.listenAgain();
    expect(leftMs(stage)).toBe(SILENCE_MS);
    stage.pass(1_000);
    expect(leftMs(stage)).toBe(SILENCE_MS - 1_000);
  });

  test("does not change with the wall clock", async () => {
    const stage = await Stage.open();
    await beat(stage);
    stage.clock.nowMs += 3_600_000;
    expect(leftMs(stage)).toBe(SILENCE_MS);
    stage.clock.nowMs -= 7_200_000;
    expect(leftMs(stage)).toBe(SILENCE_MS);
  });

  test("is no longer because a heartbeat was held back", async () => {
    const stage = await Stage.open();
    const heartbeat = await stage.session.heartbeat();
    stage.pass(SILENCE_MS + 50_000);
    expect(codeOf(stage.receiver.take(heartbeat))).toBe("heartbeat");
    expect(leftMs(stage)).toBeLessThanOrEqual(10_000);
  });

  test("cannot be filled with heartbeats that have expired", async () => {
    const stage = await Stage.open();
    const heartbeat = await stage.session.heartbeat();
    stage.pass(SILENCE_MS + 61_000);
    expect(codeOf(stage.receiver.take(heartbeat))).toBe("EXPIRED");
  });
});
