import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { transform } from "esbuild";
import ts from "typescript";

/** A piece of code that the documentation shows. */
export interface Example {
  /** Where it stands: file and what it documents. */
  readonly title: string;
  /** The name of what it documents. */
  readonly of: string;
  readonly code: string;
}

/** Every `@example` in the sources of a package. */
export function docExamples(folder: string): Example[] {
  return sources(folder).flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const found = [...text.matchAll(/\/\*\*(?:(?!\*\/)[\s\S])*?@example([\s\S]*?)\*\//g)];
    return found.map((match) => {
      const of = documented(text.slice((match.index ?? 0) + match[0].length));
      const code = (match[1] ?? "").replace(/^\s*\* ?/gm, "").trim();
      return { title: `${relative(folder, file)}: ${of}`, of, code };
    });
  });
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".gen.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function documented(after: string): string {
  return (
    /(?:function\*?|class|const|interface|type|get)\s+(\w+)/.exec(after)?.[1] ?? after.trim().split(/\W/)[0] ?? "?"
  );
}

/** The fenced blocks of a Markdown file in one language. */
export function fencedBlocks(file: string, language: string): string[] {
  const text = readFileSync(file, "utf8");
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "gm");
  return [...text.matchAll(fence)].map((match) =>
    (match[2] ?? "").replaceAll(new RegExp(`^${match[1] ?? ""}`, "gm"), ""),
  );
}

/** What a comment behind an expression promises, with the value that the expression had. */
export interface Promised {
  readonly expression: string;
  readonly value: unknown;
  readonly expected: unknown;
}

/**
 * Runs an example with `scope` as its globals. Where a line ends in a comment that is a literal (`// [0, 1]`), the
 * expression, or the constant that the line declares, is handed back with it to be compared.
 *
 * @throws Error for a comment that begins like a literal and is none: it would promise what nobody checks.
 */
export async function runExample(code: string, scope: Readonly<Record<string, unknown>>): Promise<Promised[]> {
  const promised: Promised[] = [];
  const { code: plain } = await transform(withChecks(code), { loader: "ts", target: "es2022", format: "esm" });
  const reserved = ["default", "switch"];
  // Only what it mentions: binding all thousand names takes longer than most examples.
  const mentioned = new Set(plain.match(/[A-Za-z_$][\w$]*/g));
  const names = Object.keys(scope).filter((name) => mentioned.has(name) && !reserved.includes(name));
  // The class of async functions has no name of its own; an example is our own text, and running it is the point.
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (
    ...args: string[]
  ) => (...values: unknown[]) => Promise<void>;
  const run = new AsyncFunction("$check", `{${names.join(",")}}`, `{\n${plain}\n}`);
  const check = (value: unknown, expression: string, expected: unknown): unknown => {
    promised.push({ expression, value, expected });
    return value;
  };
  await run(check, scope);
  return promised;
}

function withChecks(code: string): string {
  const file = ts.createSourceFile("example.ts", code, ts.ScriptTarget.Latest, true);
  let out = "";
  let end = 0;
  for (const statement of file.statements) {
    const line = code.slice(statement.end).split("\n")[0] ?? "";
    const comment = /^;?[ \t]*\/\/ *(.*)$/.exec(line)?.[1];
    const expected = comment === undefined ? undefined : literalOf(comment);
    const expression = expected === undefined ? undefined : promisedBy(statement);
    if (expression === undefined) continue;
    const text = expression.getText(file);
    const before = code.slice(end, expression.getStart(file));
    out += `${before}$check(await (${text}), ${JSON.stringify(text)}, ${expected})`;
    end = expression.end;
  }
  return out + code.slice(end);
}

/** The expression that a comment behind a statement speaks of: the statement's own, or what its one constant is. */
function promisedBy(statement: ts.Statement): ts.Expression | undefined {
  if (ts.isExpressionStatement(statement)) return statement.expression;
  if (!ts.isVariableStatement(statement)) return undefined;
  const [declaration] = statement.declarationList.declarations;
  return declaration?.initializer;
}

/** The comment as JavaScript, if it is a literal: a number, string, boolean, null, array or object; NaN and Infinity too. */
function literalOf(comment: string): string | undefined {
  const text = comment.trim();
  const json = text.replaceAll(/([{,]\s*)(\w+):/g, '$1"$2":').replaceAll(/\bNaN\b|-?\bInfinity\b/g, "0");
  try {
    JSON.parse(json);
    return `(${text})`;
  } catch {
    if (/^[-\d[{"→]/.test(text))
      throw new Error(`the comment "${text}" begins like a value, but cannot be checked as one`);
    return undefined;
  }
}
