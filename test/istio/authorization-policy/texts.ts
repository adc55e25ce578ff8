/** Texts that a value of a policy matches, and texts that it only just does not. */

/** For `exact`, `prefix*`, `*suffix` and `*`. */
export function matchingTexts(pattern: string): readonly string[] {
  if (pattern === "*") return ["a", "a.b"];
  if (pattern.startsWith("*")) return [`a${pattern.slice(1)}`, pattern.slice(1), `a-b.${pattern.slice(1)}`];
  if (pattern.endsWith("*")) return [`${pattern.slice(0, -1)}a`, pattern.slice(0, -1), `${pattern.slice(0, -1)}b/a`];
  return [pattern];
}

export function nearTexts(pattern: string): readonly string[] {
  if (pattern === "*") return [];
  const core = pattern.replace(/^\*|\*$/g, "");
  if (pattern.startsWith("*")) return [`${core}a`, core.slice(1), otherCase(`a${core}`), `a${core}/`];
  if (pattern.endsWith("*")) return [`a${core}`, core.slice(0, -1), otherCase(`${core}a`), `/${core}`];
  return [`${core}a`, `a${core}`, core.slice(0, -1), core.slice(1), otherCase(core), `${core}/`];
}

/** Each `*` stands for any text. */
export function matchingNamespaces(pattern: string): readonly string[] {
  return [pattern.replaceAll("*", "a"), pattern.replaceAll("*", ""), pattern.replaceAll("*", "b-c")].filter(Boolean);
}

export function matchingPaths(pattern: string): readonly string[] {
  if (/\{\*\*?\}/.test(pattern))
    return ["a", "b.c~1", "x%20y"].flatMap((segment) =>
      ["a/b", "", segment].map((rest) => pattern.replaceAll("{*}", segment).replaceAll("{**}", rest)),
    );
  const texts = pattern === "*" ? ["/", "/a/b"] : matchingTexts(pattern).map(rooted);
  return texts.flatMap((text) => [text, `${text}?q=/x`]);
}

export function nearPaths(pattern: string): readonly string[] {
  if (/\{\*\*?\}/.test(pattern)) {
    const hit = pattern.replaceAll("{*}", "a").replaceAll("{**}", "b");
    const empty = pattern.replaceAll("{*}", "").replaceAll("{**}", "");
    const two = pattern.replaceAll("{*}", "a/b").replaceAll("{**}", "b");
    return [`${hit}/`, hit.slice(0, -1), empty, two, `/x${hit}`, otherCase(hit), `${hit}/c`];
  }
  const plain = pattern.replace(/^\*|\*$/g, "");
  return [...nearTexts(pattern).map(rooted), ...spellings(rooted(plain)), `/?${plain}`, `/a?x=${plain}`];
}

/** The same path to many servers, and to Envoy after its normalization some of them. */
function spellings(path: string): readonly string[] {
  const last = path.charCodeAt(path.length - 1).toString(16);
  return [`/a/..${path}`, `/.${path}`, `/${path}`, `${path.slice(0, -1)}%${last}`, `${path};a=b`, `${path}%2f`];
}

function rooted(text: string): string {
  return text.startsWith("/") ? text : `/${text}`;
}

export function otherCase(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}
