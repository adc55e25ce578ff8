/**
 * Finds what can be mutated in AssemblyScript, which the compiler of TypeScript parses well enough, and writes sources in which
 * every mutant is an alternative chosen at run time (mutant schemata: Untch, Offutt, Harrold 1993): one compilation for all.
 * Comparisons with `null` stay as they are, as does what contains them: types are narrowed by them, and a wrong one traps.
 */
import ts from "typescript";

export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
}

const INVERTED: Readonly<Record<string, readonly string[]>> = {
  "<": [">=", "<="],
  "<=": [">", "<"],
  ">": ["<=", ">="],
  ">=": ["<", ">"],
  "==": ["!="],
  "!=": ["=="],
  "&&": ["||"],
  "||": ["&&"],
};

/** The instrumented source, and its mutants numbered from `firstId` on. */
export function instrument(
  file: string,
  source: string,
  firstId: number,
): { text: string; mutants: readonly Mutant[] } {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];

  const render = (node: ts.Node, inBody: boolean): string => {
    const start = node.getStart(tree);
    const own = inBody ? replacementsOf(node, tree) : [];
    const ids = own.map((replacement) => {
      const { line } = tree.getLineAndCharacterOfPosition(start);
      const mutant = { id: firstId + mutants.length, file, line: line + 1, original: node.getText(tree), replacement };
      mutants.push(mutant);
      return mutant;
    });
    let text = "";
    let at = start;
    ts.forEachChild(node, (child) => {
      const childStart = child.getStart(tree);
      text += source.slice(at, childStart) + render(child, inBody || (ts.isBlock(child) && ts.isFunctionLike(node)));
      at = child.end;
    });
    text += source.slice(at, node.end);
    return ids.reduce((body, { id, replacement }) => `(mutant(${id}) ? ${replacement} : ${body})`, text);
  };

  return { text: render(tree, false), mutants };
}

function replacementsOf(node: ts.Node, tree: ts.SourceFile): readonly string[] {
  const text = node.getText(tree);
  if (/\bnull\b/.test(text)) return [];
  return [...changesOf(node, tree), ...withoutCheck(node, tree)].map((changed) => `(${changed})`);
}

function changesOf(node: ts.Node, tree: ts.SourceFile): readonly string[] {
  if (ts.isBinaryExpression(node)) {
    const [left, right] = [node.left.getText(tree), node.right.getText(tree)];
    return (INVERTED[node.operatorToken.getText(tree)] ?? []).map((operator) => `(${left}) ${operator} (${right})`);
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return [node.operand.getText(tree)];
  if (node.kind === ts.SyntaxKind.TrueKeyword && isResult(node)) return ["false"];
  if (node.kind === ts.SyntaxKind.FalseKeyword && isResult(node)) return ["true"];
  const isRefusal = ts.isPropertyAccessExpression(node) && /^Code\.(?!OK$)\w+$/.test(node.getText(tree));
  return isRefusal && isResult(node) ? ["Code.OK"] : [];
}

/** Returned, or an argument, or a branch of what is. */
function isResult(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isConditionalExpression(parent)) return parent.condition !== node;
  return ts.isReturnStatement(parent) || (ts.isCallExpression(parent) && parent.expression !== node);
}

/** An operand of `&&` or `||` that no longer decides anything, and a condition that is the other way round. */
function withoutCheck(node: ts.Node, tree: ts.SourceFile): readonly string[] {
  const { parent } = node;
  if (ts.isBinaryExpression(parent) && node !== parent.operatorToken) {
    if (parent.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken) return ["true"];
    if (parent.operatorToken.kind === ts.SyntaxKind.BarBarToken) return ["false"];
  }
  const decides =
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node);
  return decides && ts.isCallExpression(node) ? [`!${node.getText(tree)}`] : [];
}
