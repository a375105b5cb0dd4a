/** The repository's own files and what each imports: shared by the checks. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

export const ROOT = path.resolve(import.meta.dirname, "../..");

const FOLDERS = ["packages", "tests", "benchmarks", "examples", "scripts"];
const SKIPPED = new Set(["node_modules", "dist", "out", "coverage"]);

/** Paths relative to the root, with "/", of every file of the repository that ends so. */
export function files(ending: string, folders: readonly string[] = FOLDERS): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) visit(name);
      else if (entry.isFile() && name.endsWith(ending)) found.push(name);
    }
  };
  folders.forEach(visit);
  return found.sort();
}

export function read(name: string): string {
  return readFileSync(path.join(ROOT, name), "utf8");
}

export function parse(name: string): ts.SourceFile {
  return ts.createSourceFile(name, read(name), ts.ScriptTarget.ES2022, true);
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased by the compiler: `import type`, or every name in it marked so. */
  readonly typeOnly: boolean;
}

/** Static imports, re-exports and `import("…")` with a literal. */
export function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Expression | undefined, typeOnly: boolean): void => {
    if (node === undefined || !ts.isStringLiteral(node)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ specifier: node.text, line, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Prints what is wrong and sets the exit code; silent when nothing is. */
export function report(check: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) return;
  console.error(`${check}: ${problems.length} problem${problems.length === 1 ? "" : "s"}`);
  process.exitCode = 1;
}
