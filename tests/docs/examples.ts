import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { transform } from "esbuild";
import ts from "typescript";

/** A piece of code that the documentation shows. */
export interface Example {
  /** Where it stands: file and what it documents. */
  readonly title: string;
  readonly code: string;
}

/** Every `@example` in the sources of a package. */
export function docExamples(folder: string): Example[] {
  return sources(folder).flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const found = [...text.matchAll(/\/\*\*(?:(?!\*\/)[\s\S])*?@example([\s\S]*?)\*\//g)];
    return found.map((match) => ({
      title: `${relative(folder, file)}: ${documented(text.slice((match.index ?? 0) + match[0].length))}`,
      code: (match[1] ?? "").replace(/^\s*\* ?/gm, "").trim(),
    }));
  });
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".gen.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function documented(after: string): string {
  return /(?:function|class|const|interface|type|get)\s+(\w+)/.exec(after)?.[1] ?? after.trim().split(/\W/)[0] ?? "?";
}

/** The fenced blocks of a Markdown file in one language. */
export function fencedBlocks(file: string, language: string): string[] {
  const text = readFileSync(file, "utf8");
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "gm");
  return [...text.matchAll(fence)].map((match) => (match[2] ?? "").replaceAll(new RegExp(`^${match[1] ?? ""}`, "gm"), ""));
}

/** What a comment behind an expression promises, with the value that the expression had. */
export interface Promised {
  readonly expression: string;
  readonly value: unknown;
  readonly expected: unknown;
}

/**
 * Runs an example with `scope` as its globals. An expression statement whose line ends in a comment that reads as JSON
 * (or as [0, 1] after an arrow) is checked against it by the caller.
 */
export async function runExample(code: string, scope: Readonly<Record<string, unknown>>): Promise<Promised[]> {
  const promised: Promised[] = [];
  const checked = withChecks(code);
  const { code: plain } = await transform(checked, { loader: "ts", target: "es2022", format: "esm" });
  const names = Object.keys(scope).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default");
  // An example is our own text; running it is the point.
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (...args: string[]) => (...values: unknown[]) => Promise<void>;
  const run = new AsyncFunction("$check", `{${names.join(",")}}`, `{\n${plain}\n}`);
  await run((value: unknown, expression: string, expected: unknown) => promised.push({ expression, value, expected }), scope);
  return promised;
}

function withChecks(code: string): string {
  const file = ts.createSourceFile("example.ts", code, ts.ScriptTarget.Latest, true);
  let out = "";
  let end = 0;
  for (const statement of file.statements) {
    const comment = /^;?[ \t]*\/\/ *(?:→ *)?(.*)$/m.exec(code.slice(statement.end).split("\n")[0] ?? "")?.[1];
    const expected = comment === undefined ? undefined : literalOf(comment);
    if (!ts.isExpressionStatement(statement) || expected === undefined) continue;
    const text = statement.expression.getText(file);
    out += `${code.slice(end, statement.getStart(file))}$check(await (${text}), ${JSON.stringify(text)}, ${expected});`;
    end = statement.end;
  }
  return out + code.slice(end);
}

/** The comment as a JavaScript literal, if it is one: a number, string, boolean, array or object. */
function literalOf(comment: string): string | undefined {
  const text = comment.trim();
  try {
    JSON.parse(text.replaceAll(/([{,]\s*)(\w+):/g, '$1"$2":'));
    return `(${text})`;
  } catch {
    return undefined;
  }
}
