/** `wpgate explain`: which rule decides about a request. */
import { Command, InvalidArgumentError, Option } from "commander";
import { isRecord } from "../../bytes/record.ts";
import { explainRequest } from "../../policy/evaluate.ts";
import { octets } from "../../policy/octets.ts";
import type { PolicyExplanation, PolicyRequest, RuleTrace } from "../../policy/types.ts";
import type { CliContext } from "../context.ts";
import { Exit } from "../failure.ts";
import { collect, dirOption, example, jsonOption, keyValue, outputOption } from "../options.ts";
import { loadPolicies } from "../policies-input.ts";
import { columns, painter, printable, printJson, type Paint } from "../ui.ts";

interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly host?: string;
  readonly header?: readonly (readonly [string, string])[];
  readonly peer?: string;
  readonly remote?: string;
  readonly destination?: string;
  readonly sni?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

interface Options extends RequestOptions {
  readonly dir: string;
  readonly bundle?: readonly string[];
  readonly pin?: string;
  readonly recipient?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly output: "text" | "json";
}

export function explainCommand(context: CliContext): Command {
  const command = new Command("explain")
    .summary("tell which rule decides about a request")
    .description(
      "Evaluates a request as the filter does, and tells which rule decides and what every other rule asked for\n" +
        "in vain. The policies are those in the folder's bundle, or the SOURCES that are not signed yet, under\n" +
        "the settings of the folder's root; --bundle adds others, such as the root namespace's. With --pin only\n" +
        "the bundles count, and no folder is needed; the first one is the workload's own namespace.\n" +
        "Exit code 0: allowed; 1: denied.",
    )
    .argument("[source...]", "policies instead of the bundle's: files, folders, or -")
    .addOption(dirOption())
    .addOption(new Option("--bundle <file>", "bundle of another namespace; can be repeated").argParser(collect))
    .addOption(new Option("--pin <file>", "trust root, instead of the folder's"))
    .addOption(new Option("--recipient <file>", "private key for sealed policies"))
    .addOption(new Option("--label <name=value>", "label of the workload; can be repeated").argParser(keyValue))
    .addOption(new Option("--method <method>", "HTTP method").default("GET"))
    .addOption(new Option("--path <path>", "path with query").default("/"))
    .addOption(new Option("--host <host>", "host, with its port if it is sent"))
    .addOption(new Option("--header <name: value>", "a header; can be repeated").argParser(header))
    .addOption(new Option("--peer <uri>", "SPIFFE id in the client's certificate"))
    .addOption(new Option("--remote <ip:port>", "client's address after X-Forwarded-For"))
    .addOption(new Option("--destination <ip:port>", "address and port that the request came to"))
    .addOption(new Option("--sni <name>", "server name of the TLS handshake"))
    .addOption(new Option("--claims <json>", "payload of the verified JWT").argParser(claims))
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (sources: string[], options: Options) => {
      const { policies, node, knobs } = await loadPolicies(context, { ...options, sources });
      const explanation = explainRequest({
        ...{ policies, knobs, request: requestOf(options) },
        node: { ...node, labels: options.label ?? {} },
      });
      if (options.output === "json") printJson(context, explanation);
      else context.stdout(textOf(explanation, painter(context.colour.stdout)));
      if (!explanation.decision.allow) throw new Exit(1);
    });
  return example(command, "wpgate explain -C team-a allow-get.json --method GET --path /orders");
}

function requestOf(options: RequestOptions): PolicyRequest {
  const text = (value: string | undefined): string | undefined => (value === undefined ? undefined : octets(value));
  return {
    path: octets(options.path),
    method: octets(options.method),
    host: text(options.host),
    remoteAddress: options.remote,
    destinationAddress: options.destination,
    peerUri: text(options.peer),
    sni: text(options.sni),
    headers: options.header,
    claims: options.claims,
  };
}

function textOf({ decision, rules, notForThisWorkload }: PolicyExplanation, paint: Paint): string {
  const verdict = decision.allow ? paint("green", "allowed") : paint("red", `denied (${decision.status})`);
  const by = decision.rule === "" ? "" : ` by ${printable(decision.rule)}`;
  const shadow =
    decision.shadow === "none" ? "" : `dry-run policies alone: ${decision.shadow} ${printable(decision.shadowRule)}\n`;
  const others = notForThisWorkload.map((name) => `not for this workload: ${printable(name)}\n`).join("");
  return `${paint("bold", verdict)}${by}: ${REASONS[decision.reason]}\n${shadow}${columns(rules.map((rule) => row(rule, paint)))}${others}`;
}

const REASONS: Readonly<Record<PolicyExplanation["decision"]["reason"], string>> = {
  "allow-rule": "this ALLOW rule matches",
  "deny-rule": "this DENY rule matches",
  "no-rule": "there are ALLOW policies, and no rule of them matches",
  "no-policy": "there is no ALLOW policy, and the root says default: istio",
  "default-deny": "there is no ALLOW policy, and the root says default: deny",
  "ambiguous-path": "the path can be read in two ways, and the root says paths: strict",
};

function row({ rule, action, dryRun, matches, unmet }: RuleTrace, paint: Paint): readonly string[] {
  const what = `${action}${dryRun ? " (dry-run)" : ""}`;
  const how = matches ? paint("green", "matches") : `not met: ${unmet.map(printable).join(", ")}`;
  return [`  ${printable(rule)}`, what, how];
}

function header(
  text: string,
  before: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  const at = text.indexOf(":");
  if (at < 1) throw new InvalidArgumentError("It must be NAME: VALUE.");
  return [...before, [octets(text.slice(0, at).toLowerCase()), octets(text.slice(at + 1).trim())]];
}

function claims(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError("It must be one JSON object.");
}
