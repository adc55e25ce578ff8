/**
 * What an API server says no with, and what it does not answer at all, as our own errors: who may not do what to which
 * object, and the rule that would allow it; which other manager owns a field; a policy's own words.
 */
import { isRecord } from "../bytes/record.ts";
import { UpstreamError, type UpstreamErrorCode } from "../errors.ts";

/** What was asked for. */
export interface ApiRequest {
  readonly verb: "get" | "list" | "patch";
  /** Plural, as in RBAC. */
  readonly resource: string;
  readonly group: string;
  /** Absent for all namespaces. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export interface FailedRequest extends ApiRequest {
  readonly server: string;
  /** Whether our own deadline ended it. */
  readonly timedOut: boolean;
}

/** A Kubernetes `Status`, of which only what is used here. */
interface Status {
  readonly message: string;
  /** Of what `details` is about, such as `namespaces`. */
  readonly kind: string;
  readonly causes: readonly { readonly reason: string; readonly message: string; readonly field: string }[];
}

/** @param thrown - by the client: an exception with code and body, or one of the network */
export function apiFailure(thrown: unknown, request: FailedRequest): UpstreamError {
  if (!isRecord(thrown) || typeof thrown["code"] !== "number") return networkFailure(thrown, request);
  const status = readStatus(thrown["body"]);
  const { what, code, hint } = explain(thrown["code"], status, request);
  // The client's exception holds nothing more than the answer, all of which is said.
  return new UpstreamError(code, what, hint === undefined ? {} : { hint });
}

interface Explanation {
  readonly what: string;
  readonly code: UpstreamErrorCode;
  readonly hint?: string;
}

function explain(httpStatus: number, status: Status, request: FailedRequest): Explanation {
  const subject = subjectOf(request);
  switch (httpStatus) {
    case 401:
      return {
        ...{ code: "LOGIN", what: `${request.server} does not know who asks` },
        hint: "is the token or certificate in the kubeconfig still valid?",
      };
    case 403:
      return forbidden(status, request);
    case 404:
      return missing(status, request);
    case 409:
      return conflict(status, request);
  }
  const why = reasonOf(status, httpStatus);
  if (httpStatus === 429 || httpStatus >= 500)
    return { code: "UNAVAILABLE", what: `${request.server} can not answer for ${subject}: ${why}` };
  return { code: "DENIED", what: `${subject} was refused: ${why}` };
}

/** RBAC's own sentence names the user, and the verb, which is `create` where an apply finds nothing; an admission webhook
 *  refuses with the same number and another sentence. */
function forbidden(status: Status, request: FailedRequest): Explanation {
  const [, user, verb] = /User "([^"]+)" cannot (\w+) resource/.exec(status.message) ?? [];
  if (user === undefined || verb === undefined)
    return { code: "DENIED", what: `${subjectOf(request)} was refused: ${reasonOf(status, 403)}` };
  const place = request.namespace === undefined ? "a ClusterRole" : `a Role in ${request.namespace}`;
  return {
    ...{ code: "FORBIDDEN", what: `${user} may not ${verb} ${subjectOf(request)}` },
    hint: `this rule allows it, in ${place}: ${ruleFor(verb, request)}`,
  };
}

/** A rule that gives nothing more than what was asked for. RBAC knows no names of what does not exist yet. */
function ruleFor(verb: string, { resource, group, name }: ApiRequest): string {
  const names = name === undefined || verb === "create" ? "" : `, resourceNames: [${name}]`;
  return `{apiGroups: [${group}], resources: [${resource}]${names}, verbs: [${verb}]}`;
}

function missing(status: Status, request: FailedRequest): Explanation {
  const { group, resource, namespace = "" } = request;
  if (status.kind === "namespaces")
    return { code: "NOT_FOUND", what: `there is no namespace ${namespace}`, hint: "create it, or give another one" };
  if (status.kind === resource) return { code: "NOT_FOUND", what: `there is no ${subjectOf(request)}` };
  return {
    ...{ code: "NOT_SERVED", what: `${request.server} has no ${resource}.${group}` },
    hint: "install Istio's CRDs: istioctl install, or the chart istio/base",
  };
}

function conflict(status: Status, request: FailedRequest): Explanation {
  const owned = status.causes.filter(({ reason }) => reason === "FieldManagerConflict");
  if (owned.length === 0)
    return { code: "CHANGED", what: `${subjectOf(request)} was changed by somebody else in the meantime` };
  const byManager = new Map<string, string[]>();
  for (const { message, field } of owned) {
    const manager = /conflict with "([^"]+)"/.exec(message)?.[1] ?? "another manager";
    byManager.set(manager, [...(byManager.get(manager) ?? []), field.replace(/^\./, "")]);
  }
  const parts = [...byManager].map(([manager, fields]) => `${manager} owns ${fields.join(", ")}`);
  return {
    ...{ code: "CONFLICT", what: `${subjectOf(request)}: ${parts.join("; ")}` },
    hint: "leave these fields to it, or take them over with --force-conflicts",
  };
}

function networkFailure(cause: unknown, { server, timedOut, ...request }: FailedRequest): UpstreamError {
  if (timedOut)
    return new UpstreamError("TIMEOUT", `${server} did not answer in time (${subjectOf(request)})`, { cause });
  return new UpstreamError("UNAVAILABLE", `cannot reach the API server ${server}`, {
    cause,
    hint: "is it up, and is this the context you mean?",
  });
}

/** `wasmplugins.extensions.istio.io wpgate in namespace team-a`. */
function subjectOf({ resource, group, namespace, name }: ApiRequest): string {
  const place = namespace === undefined ? "all namespaces" : `namespace ${namespace}`;
  return `${resource}.${group}${name === undefined ? "" : ` ${name}`} in ${place}`;
}

/** The message without the name of the object in front, which has been said. */
function reasonOf({ message }: Status, httpStatus: number): string {
  return message === "" ? `HTTP ${httpStatus}` : message.replace(/^\S+ "[^"]*" is (?:forbidden|invalid): /, "");
}

function readStatus(body: unknown): Status {
  const status = isRecord(body) ? body : parse(body);
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const details = isRecord(status["details"]) ? status["details"] : {};
  const causes: readonly unknown[] = Array.isArray(details["causes"]) ? details["causes"] : [];
  return {
    ...{ message: text(status["message"]), kind: text(details["kind"]) },
    causes: causes.filter(isRecord).map((cause) => ({
      ...{ reason: text(cause["reason"]), message: text(cause["message"]), field: text(cause["field"]) },
    })),
  };
}

function parse(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== "string") return {};
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) ? value : {};
  } catch {
    return { message: body.trim() };
  }
}
