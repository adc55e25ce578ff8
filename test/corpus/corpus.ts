/** All cases of test/vectors/envelope, in the order of docs/envelope.md. */
import type { CaseFile, NamedCase } from "./case.ts";
import { CLAIMS_CASES } from "./groups/claims.ts";
import { FLOOR_CASES } from "./groups/floors.ts";
import { limitCases } from "./groups/limits.ts";
import { namespaceCases } from "./groups/namespaces.ts";
import { PAYLOAD_CASES } from "./groups/payloads.ts";
import { PROTOBUF_CASES } from "./groups/protobuf.ts";
import { ROOT_PAYLOAD_CASES } from "./groups/root-payloads.ts";
import { ROOT_CASES } from "./groups/roots.ts";
import { SEALED_CASES } from "./groups/sealed.ts";
import { SIGNER_CASES } from "./groups/signers.ts";
import { VALIDITY_CASES } from "./groups/validity.ts";

/** By file name, without `.json`. */
export function corpus(): ReadonlyMap<string, CaseFile> {
  const cases: readonly NamedCase[] = [
    ...PROTOBUF_CASES,
    ...limitCases(),
    ...CLAIMS_CASES,
    ...SIGNER_CASES,
    ...VALIDITY_CASES,
    ...SEALED_CASES,
    ...PAYLOAD_CASES,
    ...ROOT_CASES,
    ...ROOT_PAYLOAD_CASES,
    ...namespaceCases(),
    ...FLOOR_CASES,
  ];
  const files = new Map(cases);
  const twice = cases.map(([name]) => name).filter((name, i, names) => names.indexOf(name) !== i);
  if (twice.length > 0) throw new Error(`two cases of one name: ${twice.join(", ")}`);
  return files;
}

/** The text of a case file. */
export function caseText(file: CaseFile): string {
  return `${JSON.stringify(file, null, 1)}\n`;
}
