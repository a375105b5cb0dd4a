/**
 * `pnpm gen`: every packages/kernels-wgsl/src/**\/x.wgsl becomes x.wgsl.gen.ts beside it.
 *
 * A kernel file (one compute entry point) exports `const <camelCaseName>: Kernel`; a library file (functions.wgsl
 * or x-functions.wgsl) exports one WgslFunction per `fn` and per `const`. Both may name libraries, `//#use
 * y-functions.wgsl`, and call their functions; they are legal WGSL with them in front. Comments and blank lines stay behind.
 * Files are written only when their content changes, so that watchers stay quiet; generated files without a source
 * are removed. wgsl_reflect parses but checks no types: that every kernel compiles is for the tests to show.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ResourceType, WgslReflect } from "wgsl_reflect";
import type { VariableInfo } from "wgsl_reflect";
import type { Binding, UniformField, UniformLayout } from "../packages/kernels-wgsl/src/kernel.ts";
import { checkForm, snippets, splitSections, usedLibraries, usedNames, WgslError } from "./lib/wgsl-source.ts";
import type { Use } from "./lib/wgsl-source.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const SOURCES = path.join(ROOT, "packages/kernels-wgsl/src");

/** Names of constants, written as an array of them. */
class Identifiers {
  readonly names: readonly string[];
  constructor(names: readonly string[]) {
    this.names = names;
  }
}

main();

function main(): void {
  const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).sort();
  const sources = names.filter((name) => name.endsWith(".wgsl"));
  const problems: string[] = [];
  let written = 0;
  for (const name of sources) {
    const file = path.join(SOURCES, name);
    try {
      const text = generate(file, readFileSync(file, "utf8"));
      if (writeIfChanged(`${file}.gen.ts`, text)) written++;
    } catch (error) {
      problems.push(describe(file, error));
    }
  }
  for (const name of names) {
    const orphan = name.endsWith(".wgsl.gen.ts") && !sources.includes(name.slice(0, -".gen.ts".length));
    if (orphan) rmSync(path.join(SOURCES, name));
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else if (written > 0) console.log(`gen: ${sources.length} .wgsl files, ${written} changed`);
}

function generate(file: string, text: string): string {
  checkForm(text);
  const module = reflect(text);
  const kernelTs = path.relative(path.dirname(file), path.join(SOURCES, "kernel.ts")).replaceAll(path.sep, "/");
  const from = kernelTs.startsWith(".") ? kernelTs : `./${kernelTs}`;
  const base = path.basename(file, ".wgsl");
  const note = `// Made from ${path.basename(file)} by \`pnpm gen\`; edit that.\n`;
  if (base === "functions" || base.endsWith("-functions")) return note + libraryModule(file, text, from);
  return note + kernelModule(file, text, module, from);
}

function kernelModule(file: string, text: string, module: WgslReflect, from: string): string {
  const base = path.basename(file, ".wgsl");
  const [entry, second] = module.entry.compute;
  if (entry === undefined)
    throw new WgslError(1, "has no @compute entry point; a function library is named functions.wgsl");
  if (second !== undefined) throw new WgslError(second.startLine, "has a second @compute entry point; one a file");
  if (entry.name !== "main") throw new WgslError(entry.startLine, `its entry point is ${entry.name}; name it main`);
  const size = entry.workgroupSize;
  if (size === null) throw new WgslError(entry.startLine, "main has no @workgroup_size");
  const { head, block, body } = splitSections(text);
  const libraries = librariesOf(file, text);
  const names = usedNames(text, libraries);
  const value = {
    name: `${path.relative(SOURCES, path.dirname(file)).replaceAll(path.sep, "/")}/${base}`.replace(/^\//, ""),
    head,
    block,
    body,
    ...(names.length === 0 ? {} : { functions: new Identifiers(names) }),
    bindings: module.getBindGroups().flatMap((group) => group.flatMap((variable) => toBinding(variable, text))),
    workgroupSize: size,
  };
  const imports = importsOf(libraries, new Set(names));
  return `import type { Kernel } from "${from}";\n${imports}\nexport const ${camelCase(base)}: Kernel = ${literal(value)};\n`;
}

function libraryModule(file: string, text: string, from: string): string {
  splitSections(text);
  const libraries = librariesOf(file, text);
  const found = snippets(text, new Set(libraries.flatMap(({ names }) => names)));
  const imports = importsOf(libraries, new Set(found.flatMap(({ uses }) => uses)));
  const parts = found.map(({ name, source, uses }) => {
    const value = { name, source, uses: new Identifiers(uses) };
    return `export const ${name}: WgslFunction = ${literal(value)};\n`;
  });
  return [`import type { WgslFunction } from "${from}";\n${imports}`, ...parts].join("\n");
}

/** A library that a file names, with what it defines. */
interface Library extends Use {
  readonly names: readonly string[];
}

function librariesOf(file: string, text: string): Library[] {
  return usedLibraries(text).map((use) => ({ ...use, names: namesOf(file, use.path, use.line, [file]) }));
}

function importsOf(libraries: readonly Library[], mentioned: ReadonlySet<string>): string {
  const lines = libraries.map(({ path: library, line, names }) => {
    const needed = names.filter((name) => mentioned.has(name));
    if (needed.length === 0) throw new WgslError(line, `nothing of ${library} is used; remove the line`);
    const module = library.startsWith(".") ? library : `./${library}`;
    return `import { ${needed.join(", ")} } from "${module}.gen.ts";\n`;
  });
  return lines.join("");
}

/** What the library at `name`, relative to `file`, defines. `open` are the libraries on the way to it. */
function namesOf(file: string, name: string, line: number, open: readonly string[]): string[] {
  const library = path.resolve(path.dirname(file), name);
  if (open.includes(library)) throw new WgslError(line, `${name} uses this library in turn; split one of them`);
  if (!existsSync(library)) throw new WgslError(line, `there is no ${name}; the path is relative to this file`);
  const text = readFileSync(library, "utf8");
  for (const use of usedLibraries(text)) namesOf(library, use.path, line, [...open, library]);
  return snippets(text).map((snippet) => snippet.name);
}

/** Parsed module, or a WgslError at the line that the parser names. */
function reflect(text: string): WgslReflect {
  try {
    return new WgslReflect(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = Number(/Line: ?(\d+)/i.exec(message)?.[1] ?? 1);
    throw new WgslError(line, `not WGSL: ${message.replace(/\.* Line: ?\d+/i, "")}`);
  }
}

function toBinding(variable: VariableInfo | undefined, text: string): Binding[] {
  if (variable === undefined) return []; // wgsl_reflect leaves holes for binding numbers that are not used
  const { name, group, binding } = variable;
  const fail = (message: string): WgslError => new WgslError(lineOf(text, name), `${name}: ${message}`);
  if (group !== 0 && group !== 1) throw fail(`in group ${group}; kernels bind in group 0, hooks in group 1`);
  if (variable.resourceType === ResourceType.Uniform) {
    return [{ group, binding, name, access: "uniform", layout: layoutOf(variable, fail) }];
  }
  if (variable.resourceType !== ResourceType.Storage) throw fail("only uniform and storage buffers are bound");
  if (variable.access !== "read" && variable.access !== "read_write") {
    throw fail(`storage access is "${variable.access}"; write var<storage, read> or var<storage, read_write>`);
  }
  return [{ group, binding, name, access: variable.access }];
}

function layoutOf(variable: VariableInfo, fail: (message: string) => WgslError): UniformLayout {
  if (variable.members === null) throw fail("a uniform is a struct, even of one field");
  const fields = variable.members.map(({ name, type, offset }): UniformField => {
    const kind = type.getTypeName();
    if (kind !== "u32" && kind !== "i32" && kind !== "f32") {
      throw fail(`field ${name} is ${kind}; uniforms are flat structs of u32, i32 and f32`);
    }
    return { name, type: kind, offset };
  });
  return { bytes: variable.size, fields };
}

function lineOf(text: string, name: string): number {
  return (
    Math.max(
      0,
      text.split("\n").findIndex((line) => new RegExp(`\\bvar<.*\\b${name}\\b`).test(line)),
    ) + 1
  );
}

/** JSON, but with strings of several lines as template literals, which people can read. */
function literal(value: unknown, indent = ""): string {
  const inner = `${indent}  `;
  if (typeof value === "string" && value.includes("\n")) {
    return `\`${value.replace(/[`\\]|\$\{/g, "\\$&")}\``;
  }
  if (value instanceof Identifiers) return `[${value.names.join(", ")}]`;
  if (Array.isArray(value)) {
    const flat = value.every((item) => typeof item === "number");
    if (flat) return `[${value.join(", ")}]`;
    return `[\n${value.map((item) => `${inner}${oneLine(item)},\n`).join("")}${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, item]) => `${inner}${key}: ${literal(item, inner)},\n`);
    return `{\n${fields.join("")}${indent}}`;
  }
  return JSON.stringify(value);
}

function oneLine(value: unknown): string {
  return JSON.stringify(value)
    .replace(/"(\w+)":/g, " $1: ")
    .replaceAll("}", " }")
    .replaceAll(",{", ", {");
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function writeIfChanged(file: string, text: string): boolean {
  let old: string | undefined;
  try {
    old = readFileSync(file, "utf8");
  } catch {
    old = undefined; // not there yet
  }
  if (old === text) return false;
  writeFileSync(file, text);
  return true;
}

function describe(file: string, error: unknown): string {
  const where = path.relative(ROOT, file);
  if (error instanceof WgslError) return `${where}:${error.line}: ${error.message}`;
  return `${where}:1: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
