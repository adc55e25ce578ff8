/** Istio's text patterns as tests on octet strings. */
import { isLine, octets } from "./octets.ts";
import { isTemplate } from "./values.ts";

export type TextTest = (text: string) => boolean;

/** `*`, `*suffix`, `prefix*`, else the exact text; `star` is what `*` alone means. */
export function textTest(value: string, star: TextTest): TextTest {
  const pattern = octets(value);
  if (pattern === "*") return star;
  if (pattern.startsWith("*")) return (text) => text.endsWith(pattern.slice(1));
  if (pattern.endsWith("*")) return (text) => text.startsWith(pattern.slice(0, -1));
  return (text) => text === pattern;
}

/** Any value, also an empty one. */
export const present: TextTest = () => true;

/** A path without query against a path value. */
export function pathTest(value: string): TextTest {
  return isTemplate(value) ? regexTest(templateRegex(value)) : textTest(value, isLine);
}

const ONE_SEGMENT = "[-a-zA-Z0-9._~%!$&'()*+,;:@=]+";
const ANY_SEGMENTS = "[-a-zA-Z0-9._~%!$&'()*+,;:@=/]*";

function templateRegex(template: string): string {
  return template
    .split(/(\{\*\*?\})/)
    .map((piece) => (piece === "{*}" ? ONE_SEGMENT : piece === "{**}" ? ANY_SEGMENTS : quoteRegex(piece)))
    .join("");
}

export function regexTest(regex: string): TextTest {
  const compiled = new RegExp(`^(?:${regex})$`, "s");
  return (text) => compiled.test(text);
}

/** A text as a regular expression that matches exactly it. */
export function quoteRegex(text: string): string {
  return octets(text).replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

export function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
