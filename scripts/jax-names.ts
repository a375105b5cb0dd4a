/**
 * Writes packages/jnx/NAMES.md: every name that jax, its lax, nn, random, tree, tree_util, debug and ops export, with what it is here.
 * `pnpm names` runs it. A name that jnx exports in camelCase is here; jax-names.json says of others why not, or what stands in
 * their place.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { jax, lax, nn, random } from "jnx";
import { read, ROOT } from "./lib/sources.ts";
import { camel } from "./nnx-names.ts";

interface Names {
  readonly names: readonly string[];
  readonly otherwise: Readonly<Record<string, string>>;
}

const MODULES: Readonly<Record<string, readonly [ours: string, exported: object]>> = {
  jax: ["jax", jax],
  "jax.lax": ["lax", lax],
  "jax.nn": ["nn", nn],
  "jax.random": ["random", random],
  "jax.tree": ["jax.tree", jax.tree],
  "jax.tree_util": ["jax.treeUtil", jax.treeUtil],
  "jax.debug": ["jax.debug", jax.debug],
  "jax.ops": ["jax.ops", jax.ops],
};

/** One row for each name: JAX's, ours, and what is to be said of it. */
export function jaxRows(): [theirs: string, here: string, state: string][] {
  const modules: Readonly<Record<string, Names>> = JSON.parse(read("scripts/jax-names.json"));
  return Object.entries(modules).flatMap(([module, { names, otherwise }]) => {
    const [ours, exported] = MODULES[module] ?? [module, {}];
    return names.map((name): [string, string, string] => {
      const theirs = `${module}.${name}`;
      if (camel(name) in exported) return [theirs, `\`${ours}.${camel(name)}\``, "here"];
      return [theirs, "", otherwise[name] ?? "missing"];
    });
  });
}

/** The page: what is otherwise, name by name, for the others have their names. */
export function jaxPage(): string {
  const all = jaxRows();
  const absent = all.filter(([, , state]) => state !== "here");
  const missing = absent.filter(([, , state]) => state === "missing").length;
  return [
    "# The names of jax",
    "",
    `Written by \`pnpm names\`. Of ${all.length} names of jax 0.10.2 and its modules lax, nn, random, tree, tree_util, debug and ops`,
    `${all.length - absent.length} are here in camelCase, ${absent.length - missing} are otherwise, ${missing} are missing. Those that are otherwise:`,
    "",
    "| jax | here |",
    "| --- | --- |",
    ...absent.map(([theirs, , state]) => `| \`${theirs}\` | ${state} |`),
    "",
  ].join("\n");
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === path.join(ROOT, "scripts/jax-names.ts"))
  writeFileSync(path.join(ROOT, "packages/jnx/NAMES.md"), jaxPage());
