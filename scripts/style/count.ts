import { parseSync, Visitor } from 'oxc-parser';

export interface FileCount {
  lines: number;
  commentLines: number;
  /** Of every function with a body of its own; `(x) => x + 1` has none. */
  functionLines: number[];
}

/** Counts the lines of a TypeScript file, as `wc -l` does. */
export function countFile(name: string, text: string): FileCount {
  const { program, comments, errors } = parseSync(name, text);
  if (errors[0]) throw new Error(`${name}: ${errors[0].message}`);
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length;
  const linesOf = ({ start, end }: { start: number; end: number }) =>
    lineAt(end) - lineAt(start) + 1;
  const functionLines: number[] = [];
  const count = (node: { start: number; end: number; body: { type: string } | null }) => {
    if (node.body?.type === 'BlockStatement') functionLines.push(linesOf(node));
  };
  new Visitor({
    FunctionDeclaration: count,
    FunctionExpression: count,
    ArrowFunctionExpression: count,
  }).visit(program);
  return {
    lines: text.split('\n').length - 1,
    commentLines: comments.reduce((sum, comment) => sum + linesOf(comment), 0),
    functionLines,
  };
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
