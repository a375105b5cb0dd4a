/**
 * The shape of the dependency graph:
 * - packages import only leftward along the chain, by name, through an `exports` entry, and only what their
 *   package.json lists;
 * - no relative import leaves its package (but for the scripts, which read kernels-wgsl before it is built);
 * - no file imports itself through others, but among packages/tensor/src/ops/*, whose rules call one another inside
 *   function bodies. Imports of types do not count: they are erased.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { files, importsOf, parse, read, report, ROOT } from "./lib/sources.ts";

/** Leftmost first; each may import those it lists. */
const CHAIN: Readonly<Record<string, readonly string[]>> = {
  "@jnx/kernels-wgsl": [],
  "@jnx/tensor": ["@jnx/kernels-wgsl"],
  "@jnx/wgsl-wasm": ["@jnx/kernels-wgsl", "@jnx/tensor"],
  "@jnx/autodiff": ["@jnx/kernels-wgsl", "@jnx/tensor"],
  "@jnx/compile": ["@jnx/kernels-wgsl", "@jnx/tensor", "@jnx/autodiff"],
  "@jnx/optax": ["@jnx/tensor", "@jnx/autodiff", "@jnx/compile"],
  "@jnx/nnx": ["@jnx/kernels-wgsl", "@jnx/tensor", "@jnx/autodiff", "@jnx/compile", "@jnx/optax"],
};
const CYCLES_ALLOWED = /^packages\/tensor\/src\/ops\/[^/]+\.ts$/;

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const manifests = new Map<string, Manifest>();
for (const file of [...files("package.json")]) {
  const manifest: Manifest = JSON.parse(read(file));
  manifests.set(path.posix.dirname(file), manifest);
}
const byName = new Map([...manifests.values()].map((manifest) => [manifest.name, manifest]));

const problems: string[] = [];
const graph = new Map<string, string[]>();
for (const file of files(".ts")) {
  const edges: string[] = [];
  for (const { specifier, line, typeOnly } of importsOf(parse(file))) {
    const problem = specifier.startsWith(".") ? relativeProblem(file, specifier) : packageProblem(file, specifier);
    if (problem !== undefined) problems.push(`${file}:${line}: ${problem}`);
    if (specifier.startsWith(".") && !typeOnly) edges.push(resolve(file, specifier));
  }
  graph.set(file, edges);
}
for (const cycle of cycles(graph)) {
  if (!cycle.every((file) => CYCLES_ALLOWED.test(file))) problems.push(`import cycle: ${cycle.join(" -> ")}`);
}
report("imports", problems);

function resolve(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier);
}

function ownerOf(file: string): string | undefined {
  for (let folder = path.posix.dirname(file); folder !== "."; folder = path.posix.dirname(folder)) {
    if (manifests.has(folder)) return folder;
  }
  return undefined;
}

function relativeProblem(file: string, specifier: string): string | undefined {
  const target = resolve(file, specifier);
  if (!existsSync(path.join(ROOT, target))) {
    return `"${specifier}" is no file; write the extension: "./x.ts"`;
  }
  const owner = ownerOf(file);
  if (owner !== ownerOf(target) && owner?.startsWith("packages/") === true) {
    return `"${specifier}" leaves ${owner}; import the other package by name`;
  }
  return undefined;
}

function packageProblem(file: string, specifier: string): string | undefined {
  const owner = ownerOf(file);
  const manifest = owner === undefined ? undefined : manifests.get(owner);
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  if (manifest === undefined || name.startsWith("node:")) return undefined;
  const target = byName.get(name);
  if (target === undefined) return listed(manifest, name);
  const allowed = CHAIN[manifest.name];
  if (allowed !== undefined && !allowed.includes(name)) {
    return `${manifest.name} may import ${allowed.join(", ") || "no package"}; not ${name}`;
  }
  const entry = `.${specifier.slice(name.length)}`;
  if (!Object.keys(target.exports ?? {}).some((pattern) => matches(pattern, entry))) {
    return `${name} exports ${Object.keys(target.exports ?? {}).join(", ") || "nothing"}; not "${entry}"`;
  }
  return listed(manifest, name);
}

/** As Node matches `exports` keys: equal, or with one `*` for any text. */
function matches(pattern: string, entry: string): boolean {
  const [before = "", after] = pattern.split("*");
  return after === undefined ? pattern === entry : entry.startsWith(before) && entry.endsWith(after);
}

function listed(manifest: Manifest, name: string): string | undefined {
  const { dependencies, devDependencies, peerDependencies } = manifest;
  const known = [dependencies, devDependencies, peerDependencies].some((group) => group?.[name] !== undefined);
  return known ? undefined : `${name} is not among the dependencies in ${manifest.name}'s package.json`;
}

/** Every set of files that reach one another (Tarjan's strongly connected components of two or more). */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): number => {
    const mine = order.size;
    order.set(file, mine);
    stack.push(file);
    let lowest = mine;
    for (const next of edges.get(file) ?? []) {
      if (next === file) found.push([file]);
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, low.get(next) ?? order.get(next) ?? mine);
    }
    low.set(file, lowest);
    if (lowest === mine) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) found.push(group);
    }
    return lowest;
  };
  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return found;
}
