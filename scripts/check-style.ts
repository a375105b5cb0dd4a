/**
 * What neither the compiler nor the linter sees: an `as` (other than `as const`), an `any` and a `!` must have a comment on
 * their line or the line above that says why, and a .wgsl file has at most 200 lines. File and function lengths are
 * the linter's.
 */
import ts from "typescript";
import { files, parse, read, report } from "./lib/sources.ts";

const MAX_WGSL_LINES = 200;

const problems: string[] = [];
for (const name of files(".ts").filter((file) => !file.endsWith(".gen.ts"))) problems.push(...unexplained(name));
for (const name of files(".wgsl")) {
  const lines = read(name).trimEnd().split("\n").length;
  if (lines > MAX_WGSL_LINES) problems.push(`${name}: ${lines} lines, over ${MAX_WGSL_LINES}; split the file`);
}
report("style", problems);

function unexplained(name: string): string[] {
  const source = parse(name);
  const lines = source.text.split("\n");
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const what = escape(node);
    if (what !== undefined) {
      // An assertion counts at its keyword, which may be lines after the start of what it asserts.
      const at = source.getLineAndCharacterOfPosition(
        ts.isAsExpression(node) ? node.type.getStart() : node.getStart(),
      ).line;
      const explained = hasComment(lines[at]) || isComment(lines[at - 1]);
      if (!explained) found.push(`${name}:${at + 1}: \`${what}\` without a comment that says why`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function escape(node: ts.Node): string | undefined {
  if (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) {
    return ts.isConstTypeReference(node.type) ? undefined : "as";
  }
  if (ts.isNonNullExpression(node)) return "!";
  return node.kind === ts.SyntaxKind.AnyKeyword ? "any" : undefined;
}

function hasComment(line = ""): boolean {
  return /\/\/|\/\*/.test(line);
}

function isComment(line = ""): boolean {
  return /^\s*(\/\/|\*|\/\*)|\*\/\s*$|\/\/\s/.test(line);
}
