/** A rotation that is under way: `rotation.json` in the owner's folder, between root N+1 (both keys) and N+2. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isSeq, parseDocument } from "yaml";
import { Checker } from "../config/checker.ts";
import { CONFIG_FILE } from "../config/load.ts";
import { SIGNER_ROLES, type SignerRole } from "../config/schema.ts";
import { ConfigError } from "../errors.ts";
import { replaceFile } from "./files.ts";
import type { OwnerFolder } from "./owner-folder.ts";

export interface Rotation {
  readonly role: SignerRole;
  /** Key ids. */
  readonly old: string;
  readonly new: string;
}

const FILE = "rotation.json";
const KEY_ID = { pattern: /^[A-Za-z0-9_-]{22}$/, expected: "a key id" };

/** @throws ConfigError when the file is not what `writeRotation` wrote */
export function readRotation({ path }: OwnerFolder): Rotation | undefined {
  const file = join(path, FILE);
  if (!existsSync(file)) return undefined;
  const checker = new Checker();
  const value = checker.object(parse(readFileSync(file, "utf8")), "", ["role", "old", "new"]);
  const role = SIGNER_ROLES.find((name) => name === value["role"]);
  const rotation = { old: checker.text(value["old"], "old", KEY_ID), new: checker.text(value["new"], "new", KEY_ID) };
  if (role === undefined || checker.faults.length > 0)
    throw new ConfigError([{ path: file, message: "is not a rotation that wpgate has begun" }]);
  return { role, ...rotation };
}

export function writeRotation({ path }: OwnerFolder, rotation: Rotation): void {
  replaceFile({ path: join(path, FILE), content: `${JSON.stringify(rotation, null, 2)}\n` });
}

export function endRotation({ path }: OwnerFolder): void {
  rmSync(join(path, FILE), { force: true });
}

/** Puts a new key's file in the place of the only signer of a role; comments and all else in the file stay.
 *  @returns false when there is more than one signer, and a person has to say which */
export function replaceSigner({ path }: OwnerFolder, role: SignerRole, keyFile: string): boolean {
  const file = join(path, CONFIG_FILE);
  const document = parseDocument(readFileSync(file, "utf8"), { version: "1.2" });
  const signers = document.getIn(["signers", role]);
  if (!isSeq(signers) || signers.items.length !== 1) return false;
  document.setIn(["signers", role, 0], keyFile);
  replaceFile({ path: file, content: document.toString({ lineWidth: 0 }) });
  return true;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
