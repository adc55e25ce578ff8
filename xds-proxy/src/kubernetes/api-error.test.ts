import { describe, expect, test } from "vitest";
import { apiFailure, type FailedRequest } from "./api-error.ts";

const REQUEST: FailedRequest = {
  ...{ verb: "patch", resource: "wasmplugins", group: "extensions.istio.io", namespace: "team-a", name: "wpgate" },
  ...{ server: "https://api:6443", timedOut: false },
};

/** As the client throws it: the body is text. */
function answer(code: number, status: object | string): { readonly code: number; readonly body: string } {
  return { code, body: typeof status === "string" ? status : JSON.stringify({ kind: "Status", ...status }) };
}

function saidOf(thrown: unknown, more: Partial<FailedRequest> = {}): readonly (string | undefined)[] {
  const { code, message, hint } = apiFailure(thrown, { ...REQUEST, ...more });
  return [code, message, hint];
}

describe("what an API server answers", () => {
  const rbac = (verb: string): ReturnType<typeof answer> =>
    answer(403, {
      message: `wasmplugins.extensions.istio.io "wpgate" is forbidden: User "system:serviceaccount:team-a:ci" cannot ${verb} resource "wasmplugins" in API group "extensions.istio.io" in the namespace "team-a"`,
    });

  test("who may not do what, and the rule that allows it", () => {
    expect(saidOf(rbac("patch"))).toEqual([
      "FORBIDDEN",
      "system:serviceaccount:team-a:ci may not patch wasmplugins.extensions.istio.io wpgate in namespace team-a",
      "this rule allows it, in a Role in team-a: {apiGroups: [extensions.istio.io], resources: [wasmplugins], resourceNames: [wpgate], verbs: [patch]}",
    ]);
  });

  test("an apply that finds nothing is a create", () => {
    const [, message, hint] = saidOf(rbac("create"));
    expect(message).toContain("may not create wasmplugins");
    expect(hint).toMatch(/: {apiGroups: \[extensions.istio.io\], resources: \[wasmplugins\], verbs: \[create\]}$/);
  });

  test("of all namespaces", () => {
    const [, message, hint] = saidOf(rbac("list"), { verb: "list", namespace: undefined, name: undefined });
    expect(message).toBe(
      "system:serviceaccount:team-a:ci may not list wasmplugins.extensions.istio.io in all namespaces",
    );
    expect(hint).toBe(
      "this rule allows it, in a ClusterRole: {apiGroups: [extensions.istio.io], resources: [wasmplugins], verbs: [list]}",
    );
  });

  test.each([
    [
      "a policy",
      422,
      'WasmPlugin.extensions.istio.io "wpgate" is invalid: ',
      "ValidatingAdmissionPolicy 'x' denied it",
    ],
    ["a webhook", 403, "", 'admission webhook "w" denied the request: no'],
  ])("%s speaks for itself", (_, code, prefix, words) => {
    expect(saidOf(answer(code, { message: `${prefix}${words}` }))).toEqual([
      "DENIED",
      `wasmplugins.extensions.istio.io wpgate in namespace team-a was refused: ${words}`,
      undefined,
    ]);
  });

  test("which manager owns which fields", () => {
    const cause = (manager: string, field: string): object => ({
      reason: "FieldManagerConflict",
      message: `conflict with "${manager}" using extensions.istio.io/v1alpha1`,
      field,
    });
    const causes = [cause("argocd", ".spec.url"), cause("argocd", ".spec.phase"), cause("kubectl", ".spec.sha256")];
    expect(saidOf(answer(409, { message: "Apply failed", details: { causes } }))).toEqual([
      "CONFLICT",
      "wasmplugins.extensions.istio.io wpgate in namespace team-a: argocd owns spec.url, spec.phase; kubectl owns spec.sha256",
      "leave these fields to it, or take them over with --force-conflicts",
    ]);
    expect(saidOf(answer(409, { message: "the object has been modified", details: { name: "wpgate" } }))[0]).toBe(
      "CHANGED",
    );
  });

  test.each([
    ["the object", { details: { kind: "wasmplugins", name: "wpgate" } }, "NOT_FOUND", "there is no wasmplugins.ext"],
    ["the namespace", { details: { kind: "namespaces" } }, "NOT_FOUND", "there is no namespace team-a"],
    ["the CRD", "404 page not found\n", "NOT_SERVED", "https://api:6443 has no wasmplugins.extensions.istio.io"],
  ])("%s is missing", (_, status, code, message) => {
    expect(saidOf(answer(404, status)).slice(0, 2)).toEqual([code, expect.stringContaining(message)]);
  });

  test.each([
    [401, "LOGIN"],
    [400, "DENIED"],
    [429, "UNAVAILABLE"],
    [500, "UNAVAILABLE"],
    [503, "UNAVAILABLE"],
  ])("%i is %s", (status, code) => {
    expect(saidOf(answer(status, "no Status at all"))[0]).toBe(code);
    expect(saidOf({ code: status, body: undefined })[0]).toBe(code);
  });
});

test("no answer at all", () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const error = apiFailure(cause, REQUEST);
  expect([error.code, error.message, error.cause]).toEqual([
    "UNAVAILABLE",
    "cannot reach the API server https://api:6443",
    cause,
  ]);
  expect(apiFailure(cause, { ...REQUEST, timedOut: true }).code).toBe("TIMEOUT");
});
