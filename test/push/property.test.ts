/** Whatever a carrier does to a session is refused under the name that it has, never believed, and never an exception. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import { CODES } from "../../xds-proxy/src/gen/codes.ts";
import { readOuterResponse } from "../../xds-proxy/src/push/outer-response.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { CLUSTERS, codeOf, LISTENERS, newMesh, NODE, responseOf, Stage, type Mesh } from "./stage.ts";

const SENT_COUNT = 8;
const OTHER_NODE = "router~10.0.0.2~gw.team-b~team-b.svc.cluster.local";
const DELIVERED: readonly string[] = ["response", "heartbeat"];

/** What one session sends after its roots: pushes of two types, and heartbeats. */
async function recorded(mesh: Mesh, node = NODE, protocol: Protocol = "sotw"): Promise<Recording> {
  const stage = await Stage.open({ mesh, protocol, session: { node }, receiver: { node } });
  const roots = await stage.session.announceRoots();
  const sent: Uint8Array[] = [];
  for (let i = 0; i < SENT_COUNT; i++) sent.push(await sendOne(stage, i));
  return { stage, roots, sent, node };
}

async function sendOne({ session, protocol }: Stage, i: number): Promise<Uint8Array> {
  if (i % 3 === 2) return await session.heartbeat();
  const typeUrl = i % 2 === 0 ? CLUSTERS : LISTENERS;
  return await session.push(typeUrl, responseOf(typeUrl, new Uint8Array(64).fill(i), protocol));
}

interface Recording {
  readonly stage: Stage;
  readonly roots: Uint8Array;
  readonly sent: readonly Uint8Array[];
  readonly node: string;
}

/** The receiver of a recording, as it was at its start. */
async function restarted({ stage, roots, node }: Recording): Promise<Stage["receiver"]> {
  const { mesh, protocol, sid } = stage;
  const { receiver } = await Stage.unopened({ mesh, protocol, receiver: { sid, node } });
  expect(codeOf(receiver.take(roots))).toBe("roots");
  return receiver;
}

let one: Recording;
let delta: Recording;
let sameNode: Recording;
let otherNode: Recording;

beforeAll(async () => {
  const mesh = await newMesh();
  one = await recorded(mesh);
  delta = await recorded(mesh, NODE, "delta");
  sameNode = await recorded(mesh);
  otherNode = await recorded(mesh, OTHER_NODE);
});

describe("a session in which a carrier", () => {
  test("drops, repeats and reorders pushes ends at the first that is not the next one: SEQUENCE", async () => {
    const order = fc.array(fc.nat(SENT_COUNT - 1), { minLength: 1, maxLength: 2 * SENT_COUNT });
    await fc.assert(
      fc.asyncProperty(order, async (indices) => {
        const receiver = await restarted(one);
        const good = indices.findIndex((index, i) => index !== i);
        const verdicts = indices.map((index) => codeOf(receiver.take(Uint8Array.from(one.sent[index]!))));
        const delivered = verdicts.slice(0, good < 0 ? indices.length : good);
        expect(delivered.every((verdict) => DELIVERED.includes(verdict))).toBe(true);
        expect(verdicts.slice(delivered.length)).toEqual(verdicts.slice(delivered.length).map(() => "SEQUENCE"));
      }),
      { numRuns: 150 },
    );
  });

  test("mixes in pushes of another session of the same node: SESSION; of another node: NAME", async () => {
    const at = fc.nat(SENT_COUNT - 1);
    await fc.assert(
      fc.asyncProperty(at, at, fc.constantFrom("SESSION", "NAME"), async (before, stray, code) => {
        const receiver = await restarted(one);
        for (const outer of one.sent.slice(0, before)) expect(DELIVERED).toContain(codeOf(receiver.take(outer)));
        const other = code === "SESSION" ? sameNode : otherNode;
        expect(codeOf(receiver.take(other.sent[stray]!))).toBe(code);
        expect(codeOf(receiver.take(one.sent[before]!))).toBe(code);
      }),
      { numRuns: 100 },
    );
  });

  test("flips a bit of a part that is signed, or of the signature, ends under the name of that part", async () => {
    const parts = { data: "DIGEST", k: "KEY_UNKNOWN", tSignature: "SIGNATURE" } as const;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("data", "k", "tSignature"), fc.nat(), fc.nat(7), async (part, at, bit) => {
        const outer = Uint8Array.from(one.sent[0]!);
        const message = decodeWebpushMessage(readOuterResponse(outer, "sotw").envelopes[0]!);
        const window = part === "data" ? message.data : message.sender[part];
        window[at % window.length]! ^= 1 << bit;
        const receiver = await restarted(one);
        expect(codeOf(receiver.take(outer))).toBe(parts[part]);
      }),
      { numRuns: 150 },
    );
  });

  test("flips any bit is refused, or has changed names that nobody believes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.nat(), fc.nat(7), async (sotw, at, bit) => {
        const recording = sotw ? one : delta;
        const outer = Uint8Array.from(recording.sent[0]!);
        const inner = (await restarted(recording)).take(recording.sent[0]!);
        outer[at % outer.length]! ^= 1 << bit;
        const verdict = (await restarted(recording)).take(outer);
        if (verdict.kind === "refused") expect(CODES).toContain(verdict.code);
        else
          expect({ ...verdict, nonce: "", version: "", raw: "" }).toEqual({
            ...inner,
            nonce: "",
            version: "",
            raw: "",
          });
      }),
      { numRuns: 600 },
    );
  });

  test("cuts off, inserts or replaces bytes is refused, or has changed names that nobody believes", async () => {
    const edit = fc.record({ at: fc.nat(), cut: fc.nat(40), put: fc.uint8Array({ maxLength: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), edit, async (sotw, { at, cut, put }) => {
        const recording = sotw ? one : delta;
        const [outer] = recording.sent;
        const inner = (await restarted(recording)).take(outer!);
        const start = at % outer!.length;
        const bytes = Buffer.concat([outer!.subarray(0, start), put, outer!.subarray(start + cut)]);
        const verdict = (await restarted(recording)).take(bytes);
        if (verdict.kind === "refused") expect(CODES).toContain(verdict.code);
        else
          expect({ ...verdict, nonce: "", version: "", raw: "" }).toEqual({
            ...inner,
            nonce: "",
            version: "",
            raw: "",
          });
      }),
      { numRuns: 400 },
    );
  });

  test("sends arbitrary bytes gets a refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom<Protocol>("sotw", "delta"), (bytes, protocol) => {
        const { receiver } = protocol === "sotw" ? fresh.sotw : fresh.delta;
        expect(CODES).toContain(codeOf(receiver.take(bytes)));
      }),
      { numRuns: 500 },
    );
  });
});

let fresh: Record<Protocol, Stage>;

beforeAll(async () => {
  fresh = { sotw: await Stage.open(), delta: await Stage.open({ protocol: "delta" }) };
});
