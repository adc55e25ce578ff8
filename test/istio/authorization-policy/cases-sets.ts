/** Policies beside one another: actions, order, rehearsals, selectors, and those that say nothing. */
import { allow, deny, to } from "../../e2e/rbac/group.ts";
import { inRoot, named, rehearsed, selecting, type Case } from "./case.ts";
import { LABELS } from "./place.ts";
import { onPaths, PLAIN } from "./probe.ts";

export const SET_CASES: readonly Case[] = [
  {
    title: "empty lists say nothing",
    policies: [
      allow({
        from: [{ source: { namespaces: [], principals: ["*"], notPrincipals: [] } }],
        to: [{ operation: { methods: ["GET"], notPaths: [] } }],
        when: [],
      }),
    ],
  },
  {
    title: "an empty condition list beside one of another policy's",
    policies: [named("a", allow({ when: [] })), named("b", deny({ ...to({ methods: ["PUT"] }), when: [] }))],
    given: [{ ...PLAIN, method: "PUT" }],
  },
  {
    title: "selectors of both namespaces",
    policies: [
      named("ours", selecting({ app: LABELS.app }, deny(to({ paths: ["/a"] })))),
      named("both", selecting({ ...LABELS }, deny(to({ paths: ["/b"] })))),
      named("other", selecting({ app: "other" }, deny(to({ paths: ["/c"] })))),
      named("mesh", inRoot(selecting({ version: LABELS.version }, deny(to({ paths: ["/d"] }))))),
      named("mesh-other", inRoot(selecting({ version: "v2" }, deny(to({ paths: ["/e"] }))))),
      named("all", selecting({}, deny(to({ paths: ["/f"] })))),
    ],
    given: onPaths("/a", "/b", "/c", "/d", "/e", "/f", "/g"),
  },
  {
    title: "an ALLOW policy for other workloads leaves this one open",
    policies: [selecting({ app: "other" }, allow(to({ paths: ["/a"] })))],
  },
  {
    title: "rehearsals of both kinds beside audits",
    policies: [
      named("in-force", deny(to({ methods: ["DELETE"] }))),
      rehearsed(named("no", deny(to({ paths: ["/a"] }))), "1"),
      rehearsed(named("yes", allow(to({ paths: ["/a", "/b"] }))), "T"),
      { name: "watch", spec: { action: "AUDIT", rules: [{}] } },
    ],
    given: [...onPaths("/a", "/b", "/c"), { ...PLAIN, method: "DELETE", path: "/a" }],
  },
  {
    title: "a rehearsal that is switched off",
    policies: [rehearsed(deny(to({ paths: ["/a"] })), "F")],
    given: onPaths("/a", "/b"),
  },
  {
    title: "a rehearsal without rules",
    policies: [{ name: "closed", dryRun: "true", spec: {} }],
  },
  {
    title: "the first of many rules in Istio's order",
    policies: [
      named("b", deny(...Array.from({ length: 12 }, (_, i) => to({ paths: [`/${i}`, "/all"] })))),
      named("a-b", deny(to({ paths: ["/all", "/x"] }))),
      named("a", deny(to({ paths: ["/all", "/y"] }), to({ paths: ["/x"] }))),
      named("z", inRoot(deny(to({ paths: ["/all"], methods: ["GET"] })))),
    ],
    given: [...onPaths("/all", "/x", "/y", "/2", "/10", "/11"), { ...PLAIN, method: "PUT", path: "/all" }],
  },
];
