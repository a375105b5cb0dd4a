/** What `pnpm gen` reads out of the text of a .wgsl file, before any reflection. Pure: no files, no parser. */

/** Says where in a .wgsl file something is wrong; the caller puts the file's name before it. */
export class WgslError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export interface Sections {
  readonly head: string;
  readonly block: string;
  readonly body: string;
}

/** A top-level `fn` or `const` of a library file. */
export interface Snippet {
  readonly name: string;
  readonly source: string;
  /** Names of the file's other snippets that occur in it, and of those of the libraries it names. */
  readonly uses: readonly string[];
}

/** A line `//#use x-functions.wgsl`: the file calls what that library has. The path is relative to the file. */
export interface Use {
  readonly path: string;
  readonly line: number;
}

const MAX_LINES = 200;

/** The rules every .wgsl file keeps, whatever it holds. */
export function checkForm(text: string): void {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length > MAX_LINES) {
    throw new WgslError(MAX_LINES + 1, `${lines.length} lines, over ${MAX_LINES}; split the file`);
  }
  if (!/^\s*(\/\/(?!#)|\/\*)/.test(lines[0] ?? "")) {
    throw new WgslError(
      1,
      "does not open with a comment; say what it computes, layouts, bounds policy, workgroup memory",
    );
  }
  // Chrome 147 makes no pipeline of such a text, nor an error: its compiler drops what stands for `any` of a scalar.
  const lost = lines.findIndex((line) => /(?:&&|\|\|)\s*(?:any|all)\(/.test(line.replace(/\/\/.*/, "")));
  if (lost >= 0) throw new WgslError(lost + 1, "any or all behind && or ||; call any_lane of bits-functions.wgsl");
}

/** Splits at the one `//#default` and the one `//#end` line; comment lines and blank lines fall away. */
export function splitSections(text: string): Sections {
  const lines = text.split("\n");
  const start = onlyLine(lines, "//#default");
  const end = onlyLine(lines, "//#end");
  if (end < start) throw new WgslError(end + 1, "//#end stands before //#default");
  const part = (from: number, to: number): string => stripComments(lines.slice(from, to).join("\n"));
  return { head: part(0, start), block: part(start + 1, end), body: part(end + 1, lines.length) };
}

function onlyLine(lines: readonly string[], marker: string): number {
  const found = lines.flatMap((line, index) => (line.trim() === marker ? [index] : []));
  const [first, second] = found;
  if (first === undefined) throw new WgslError(1, `has no ${marker} line`);
  if (second !== undefined) throw new WgslError(second + 1, `has a second ${marker} line; one default block a file`);
  return first;
}

/** The libraries that a file names between its opening comment and its default block. */
export function usedLibraries(text: string): Use[] {
  return text.split("\n").flatMap((line, index) => {
    const path = /^\/\/#use (\S+)$/.exec(line)?.[1];
    return path === undefined ? [] : [{ path, line: index + 1 }];
  });
}

/** The names of libraries that a kernel mentions; one of them may not be its own besides. */
export function usedNames(text: string, libraries: readonly { readonly names: readonly string[] }[]): string[] {
  const code = blankComments(text);
  const known = new Set(libraries.flatMap(({ names }) => names));
  code.split("\n").forEach((line, index) => {
    const own = /^(?:fn|const)\s+([A-Za-z_]\w*)/.exec(line)?.[1] ?? "";
    if (known.has(own)) throw new WgslError(index + 1, `a second ${own}: a library that this file uses has one`);
  });
  return mentions(code, "", known);
}

/** Comments become spaces of the same length, so that offsets and line numbers stay true. */
export function blankComments(text: string): string {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
}

function stripComments(text: string): string {
  return blankComments(text)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}

/**
 * The functions and constants of a library file's body, in an order in which each follows those it uses. `known` are
 * the names that other libraries give.
 */
export function snippets(text: string, known: ReadonlySet<string> = new Set()): Snippet[] {
  const end = text.split("\n").findIndex((line) => line.trim() === "//#end");
  const blank = blankComments(text);
  const from = blank
    .split("\n")
    .slice(0, end + 1)
    .join("\n").length;
  const found: { name: string; source: string; line: number }[] = [];
  for (let at = skipSpace(blank, from); at < blank.length;) {
    const line = blank.slice(0, at).split("\n").length;
    const match = /^(?:fn|const)\s+([A-Za-z_]\w*)/.exec(blank.slice(at));
    const name = match?.[1];
    if (name === undefined) {
      throw new WgslError(line, "only `fn` and `const` may follow the default block of a function library");
    }
    const stop = blank.startsWith("fn", at) ? closingBrace(blank, at, line) : endOfStatement(blank, at, line);
    if (known.has(name) || found.some((other) => other.name === name)) throw new WgslError(line, `a second ${name}`);
    found.push({ name, source: stripComments(blank.slice(at, stop)), line });
    at = skipSpace(blank, stop);
  }
  const names = new Set([...known, ...found.map((one) => one.name)]);
  const withUses = found.map(({ name, source, line }) => ({
    name,
    source,
    line,
    uses: mentions(source, name, names),
  }));
  return inOrder(withUses);
}

function mentions(source: string, self: string, names: ReadonlySet<string>): string[] {
  const words = new Set(source.match(/[A-Za-z_]\w*/g) ?? []);
  return [...words].filter((word) => word !== self && names.has(word));
}

function inOrder(all: readonly (Snippet & { line: number })[]): Snippet[] {
  const done = new Map<string, Snippet>();
  const open = new Set<string>();
  const visit = (one: Snippet & { line: number }): void => {
    if (done.has(one.name)) return;
    if (open.has(one.name))
      throw new WgslError(one.line, `${[...open].join(" -> ")} use each other; WGSL has no recursion`);
    open.add(one.name);
    for (const other of all) if (one.uses.includes(other.name)) visit(other);
    open.delete(one.name);
    done.set(one.name, { name: one.name, source: one.source, uses: one.uses });
  };
  all.forEach(visit);
  return [...done.values()];
}

function skipSpace(text: string, from: number): number {
  const rest = text.slice(from).search(/[^\s;]/);
  return rest < 0 ? text.length : from + rest;
}

function closingBrace(text: string, from: number, line: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "{") depth++;
    if (text[i] === "}" && --depth === 0) return i + 1;
  }
  throw new WgslError(line, "the function's braces do not close");
}

function endOfStatement(text: string, from: number, line: number): number {
  const semicolon = text.indexOf(";", from);
  if (semicolon < 0) throw new WgslError(line, "the constant has no semicolon");
  return semicolon + 1;
}
