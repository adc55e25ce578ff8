/** Which roots a receiver believes, and under which it checks pushes (docs/envelope.md section 10.2). */
import { describe, expect, test } from "vitest";
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";
import { encodeRoot } from "../../xds-proxy/src/envelope/documents.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { mergeRoots } from "../../xds-proxy/src/envelope/state.ts";
import type { TrustState } from "../../xds-proxy/src/envelope/types.ts";
import { ConfigError } from "../../xds-proxy/src/errors.ts";
import { ROOTS } from "../../xds-proxy/src/push/types.ts";
import { CLUSTERS, codeOf, newMesh, pinOf, pushRoots, responseOf, rotated, Stage, type Mesh } from "./stage.ts";

function bytesOf(mesh: Mesh): readonly Uint8Array[] {
  return mesh.owner.roots.map((text) => Buffer.from(text, "base64url"));
}

const cdOf = ({ owner }: Mesh): string => digestOf(encodeRoot(owner.root));

describe.each(["sotw", "delta"] as const)("roots, %s", (protocol) => {
  test("come before the first push, and are to be stored", async () => {
    const mesh = await rotated(await newMesh());
    const stage = await Stage.unopened({ mesh, protocol });
    const verdict = stage.receiver.take(await stage.session.announceRoots());
    expect(verdict).toMatchObject({ kind: "roots", taken: true, roots: mesh.owner.roots });
    const { state } = verdict as Extract<typeof verdict, { kind: "roots" }>;
    expect(state).toMatchObject({ ep: 2, minEp: 1, rootCd: cdOf(mesh), setVer: "0", setCd: "" });
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("response");
  });

  test("rotate within a session, and the pushes after it are signed under the new one", async () => {
    const first = await newMesh();
    const stage = await Stage.open({ mesh: first, protocol });
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("response");
    const second = await rotated(first, { minEp: 2 });
    const pushed = await Promise.all([
      stage.session.push(CLUSTERS, responseOf(CLUSTERS)),
      stage.session.rotate(pushRoots(second)),
      stage.session.push(CLUSTERS, responseOf(CLUSTERS)),
    ]);
    const verdicts = pushed.map((outer) => stage.receiver.take(outer));
    expect(verdicts.map(codeOf)).toEqual(["response", "roots", "response"]);
    expect(verdicts[1]).toMatchObject({ state: { ep: 2, minEp: 2 }, taken: true });
  });
});

describe("a receiver", () => {
  test("without any root refuses pushes", async () => {
    const stage = await Stage.unopened();
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("ROOT_INVALID");
  });

  test("that knows the roots from elsewhere needs none from the wrapping proxy", async () => {
    const stage = await Stage.unopened();
    expect(codeOf(stage.receiver.takeRoots(stage.mesh.owner.roots))).toBe("roots");
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("response");
  });

  test("goes on after roots from elsewhere were not good", async () => {
    const stage = await Stage.open();
    expect(codeOf(stage.receiver.takeRoots((await newMesh()).owner.roots))).toBe("ROOT_INVALID");
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("response");
  });

  test("refuses pushes once a root from elsewhere has revoked the key", async () => {
    const stage = await Stage.open();
    const revoked = await rotated({ owner: stage.mesh.owner, push: SigningKey.generate() });
    expect(codeOf(stage.receiver.takeRoots(revoked.owner.roots))).toBe("roots");
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("KEY_UNKNOWN");
  });

  test("refuses pushes from before minEp was raised", async () => {
    const stage = await Stage.open();
    const raised = await rotated(stage.mesh, { minEp: 2 });
    expect(codeOf(stage.receiver.takeRoots(raised.owner.roots))).toBe("roots");
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("EPOCH");
  });

  test("keeps the newer root when the wrapping proxy is late to learn of it", async () => {
    const first = await newMesh();
    const stage = await Stage.unopened({ mesh: first });
    const second = await rotated(first);
    const known = stage.receiver.takeRoots(second.owner.roots);
    const verdict = stage.receiver.take(await stage.session.announceRoots());
    expect(verdict).toMatchObject({ kind: "roots", taken: false, state: { ep: 2, rootCd: cdOf(second) } });
    expect(known).toMatchObject({ taken: true, state: { ep: 2 } });
    expect(codeOf(await stage.push(CLUSTERS, responseOf(CLUSTERS)))).toBe("response");
  });

  test("refuses an expired root, and pushes after the root has run out", async () => {
    const late = await Stage.unopened();
    late.pass(91 * 86_400_000);
    expect(codeOf(late.receiver.take(await late.session.announceRoots()))).toBe("EXPIRED");
    const long = await Stage.open();
    long.pass(91 * 86_400_000);
    expect(await long.push(CLUSTERS, responseOf(CLUSTERS))).toMatchObject({ code: "EXPIRED", where: "roots" });
  });
});

describe("a root chain of the wrapping proxy", () => {
  test.each<readonly [what: string, code: string, chain: (mesh: Mesh) => Promise<readonly Uint8Array[]>]>([
    ["of nobody who is pinned", "ROOT_INVALID", async () => bytesOf(await newMesh())],
    ["that is empty", "ROOT_INVALID", () => Promise.resolve([])],
    ["with a root that is changed", "ROOT_INVALID",
      (mesh) => Promise.resolve(bytesOf(mesh).map((root) => Uint8Array.from(root).fill(1, 100, 101)))], // prettier-ignore
    ["with a gap", "ROOT_GAP", async (mesh) => {
      const third = await rotated(await rotated(mesh));
      return [0, 2].map((i) => bytesOf(third)[i]!);
    }], // prettier-ignore
    [
      "that is too long",
      "ROOT_INVALID",
      (mesh) => Promise.resolve(Array.from({ length: 65 }, () => bytesOf(mesh)[0]!)),
    ],
  ])("%s is refused: %s", async (_, code, chain) => {
    const stage = await Stage.unopened();
    const outer = stage.outer(ROOTS, ...(await chain(stage.mesh)));
    expect(codeOf(stage.receiver.take(outer))).toBe(code);
    expect(codeOf(stage.receiver.take(await stage.session.announceRoots()))).toBe(code);
  });

  test("is refused without a pin", async () => {
    const mesh = await newMesh();
    const stage = await Stage.unopened({ mesh, receiver: { pin: { ...pinOf(mesh), roots: {} } } });
    expect(codeOf(stage.receiver.take(await stage.session.announceRoots()))).toBe("UNPINNED");
  });

  test("never goes back behind what is remembered", async () => {
    const first = await newMesh();
    const second = await rotated(first);
    const state = { ...FLOORS, ep: 2, rootCd: cdOf(second) };
    const older = await Stage.unopened({ mesh: first, receiver: { state } });
    expect(codeOf(older.receiver.take(await older.session.announceRoots()))).toBe("ROLLBACK");
    const same = await Stage.unopened({ mesh: second, receiver: { state } });
    expect(codeOf(same.receiver.take(await same.session.announceRoots()))).toBe("roots");
  });

  test("is refused when it is another one than the remembered, or than the one in force", async () => {
    const first = await newMesh();
    const [second, other] = [await rotated(first), await rotated(first, { paths: "istio" })];
    const state = { ...FLOORS, ep: 2, rootCd: cdOf(second) };
    const remembering = await Stage.unopened({ mesh: other, receiver: { state } });
    expect(codeOf(remembering.receiver.take(await remembering.session.announceRoots()))).toBe("EQUIVOCATION");
    const late = await Stage.unopened({ mesh: other });
    expect(codeOf(late.receiver.takeRoots((await rotated(second)).owner.roots))).toBe("roots");
    expect(codeOf(late.receiver.take(await late.session.announceRoots()))).toBe("EQUIVOCATION");
  });

  test("keeps the floors of sets, unless minEp was raised", async () => {
    const first = await newMesh();
    const second = await rotated(first);
    const state = { ...FLOORS, rootCd: cdOf(first), setVer: "7", setCd: "s", freshVer: "8", freshCd: "f" };
    const kept = await Stage.unopened({ mesh: second, receiver: { state } });
    expect(kept.receiver.take(await kept.session.announceRoots())).toMatchObject({
      state: { ep: 2, setVer: "7", setCd: "s", freshVer: "8", freshCd: "f" },
    });
    const forgotten = await Stage.unopened({ mesh: await rotated(first, { minEp: 2 }), receiver: { state } });
    expect(forgotten.receiver.take(await forgotten.session.announceRoots())).toMatchObject({
      state: { ep: 2, minEp: 2, setVer: "0", setCd: "", freshVer: "0", freshCd: "" },
    });
  });

  test("is not signed under when it does not name the push key", async () => {
    const stage = await Stage.open();
    const other = await rotated({ owner: stage.mesh.owner, push: SigningKey.generate() });
    await expect(stage.session.rotate(pushRoots(other))).rejects.toBeInstanceOf(ConfigError);
  });
});

const FLOORS: TrustState = {
  ...{ ep: 1, minEp: 1, rootCd: "", setVer: "0", setCd: "", freshVer: "0", freshCd: "", iatMax: 0 },
};

describe("a state that was advanced in two ways", () => {
  const kept: TrustState = {
    ...{ ep: 2, minEp: 1, rootCd: "two", setVer: "7", setCd: "s", freshVer: "8", freshCd: "f", iatMax: 50 },
  };

  test("has the newer roots, and the floors of the sets", () => {
    const learned = { ...FLOORS, ep: 3, rootCd: "three", setVer: "6", setCd: "old", iatMax: 60 };
    expect(mergeRoots(kept, learned)).toEqual({ ...kept, ep: 3, rootCd: "three", iatMax: 60 });
  });

  test("is not taken back by older roots", () => {
    expect(mergeRoots(kept, { ...FLOORS, rootCd: "one", iatMax: 40 })).toEqual(kept);
    expect(mergeRoots({ ...kept, minEp: 2 }, { ...FLOORS, iatMax: 90 })).toEqual({ ...kept, minEp: 2 });
  });

  test("forgets floors when minEp was raised, and begins with what was learned", () => {
    const raised = { ...FLOORS, ep: 3, minEp: 3, rootCd: "three", iatMax: 10 };
    expect(mergeRoots(kept, raised)).toEqual(raised);
    expect(mergeRoots(undefined, raised)).toEqual(raised);
  });
});

describe("the past", () => {
  test("is what was verified, also when the clock is set back", async () => {
    const stage = await Stage.open();
    const old = await stage.forge({ seq: "2", expSec: Math.floor(stage.clock.nowMs / 1000) + 10 });
    stage.pass(600_000);
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, await stage.forge())))).toBe("response");
    stage.clock.nowMs -= 600_000;
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, old)))).toBe("EXPIRED");
  });

  test("is forgotten when minEp was raised, so that a clock which ran ahead can be recovered from", async () => {
    const stage = await Stage.open();
    const expSec = Math.floor(stage.clock.nowMs / 1000) + 10;
    stage.pass(600_000);
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, await stage.forge())))).toBe("response");
    stage.clock.nowMs -= 600_000;
    expect(codeOf(stage.receiver.takeRoots((await rotated(stage.mesh, { minEp: 2 })).owner.roots))).toBe("roots");
    const next = await stage.forge({ seq: "2", ep: 2, expSec });
    expect(codeOf(stage.receiver.take(stage.outer(CLUSTERS, next)))).toBe("response");
  });
});
