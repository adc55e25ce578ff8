/** All targets; the lightest first. */
import type { ArithmeticTarget } from "../arithmetic.ts";
import type { Target } from "../target.ts";
import { BASE64URL } from "./base64url.ts";
import { NAMESPACE, ROOTS } from "./case.ts";
import { CLAIMS } from "./claims.ts";
import { CONFIGURATION, FRESH_LIST } from "./configuration.ts";
import { DER } from "./der.ts";
import { FRESH_DOCUMENT, ROOT_DOCUMENT, SET_DOCUMENT } from "./documents.ts";
import { ECDSA } from "./ecdsa.ts";
import { ENVELOPE } from "./envelope.ts";
import { FIELD } from "./field.ts";
import { HOST } from "./host.ts";
import { JSON_TEXT } from "./json.ts";
import { POINT } from "./point.ts";
import { POLICY } from "./policy.ts";
import { SCALAR } from "./scalar.ts";
import { SEALED } from "./sealed.ts";

export const TARGETS: readonly Target[] = [
  ...[BASE64URL, DER, JSON_TEXT, CLAIMS, ENVELOPE],
  ...[ROOT_DOCUMENT, SET_DOCUMENT, FRESH_DOCUMENT, CONFIGURATION, FRESH_LIST],
  ...[SEALED, POLICY, ROOTS, NAMESPACE, HOST, ECDSA],
];

export const ARITHMETIC: readonly ArithmeticTarget[] = [FIELD, SCALAR, POINT];
