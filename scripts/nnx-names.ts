/**
 * Writes packages/nnx/NAMES.md: every name that flax.nnx exports, with what it is here. `pnpm names` runs it. A name
 * that @jnx/nnx exports in camelCase is here; nnx-names.json says of others why not, or what stands in their place.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { nnx } from "jnx";
import { read, ROOT } from "./lib/sources.ts";

interface Names {
  readonly names: readonly string[];
  readonly otherwise: Readonly<Record<string, string>>;
}

/** `value_and_grad` → `valueAndGrad`; classes keep their names. */
export function camel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}

/** One row for each name: Flax's, ours, and what is to be said of it. */
export function rows(): [flax: string, here: string, state: string][] {
  const { names, otherwise }: Names = JSON.parse(read("scripts/nnx-names.json"));
  const exported = new Set(Object.keys(nnx));
  return names.map((name) => {
    const ours = camel(name);
    if (exported.has(ours)) return [name, `\`nnx.${ours}\``, "here"];
    const instead = otherwise[name];
    return instead === undefined ? [name, "", "missing"] : [name, "", instead];
  });
}

function page(): string {
  const all = rows();
  const count = (wanted: (state: string) => boolean): number => all.filter(([, , state]) => wanted(state)).length;
  const missing = count((state) => state === "missing");
  const here = count((state) => state === "here");
  return [
    "# The names of flax.nnx",
    "",
    `Written by \`pnpm names\`. Of ${all.length} names ${here} are here, ${all.length - here - missing} are otherwise, ${missing} are missing.`,
    "",
    "| flax.nnx | here | state |",
    "| --- | --- | --- |",
    ...all.map(([flax, ours, state]) => `| \`${flax}\` | ${ours} | ${state} |`),
    "",
  ].join("\n");
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === path.join(ROOT, "scripts/nnx-names.ts"))
  writeFileSync(path.join(ROOT, "packages/nnx/NAMES.md"), page());
