/**
 * Bundles each use case of size-cases.json as an application in a browser would (esbuild, minified, gzip) from the
 * TypeScript sources and fails when one is over its budget, in bytes. What only `import()` reaches is not counted. An import that does not exist, or that needs
 * Node, is an error. `pnpm exec tsx scripts/check-size.ts --all` prints every size.
 */
import { gzipSync } from "node:zlib";
import path from "node:path";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { read, report, ROOT } from "./lib/sources.ts";

interface Case {
  /** An ES module; what it exports is what must not be shaken out. */
  readonly code: string;
  /** The budget: bytes after minifying and gzip. */
  readonly gzip: number;
}

const loadedLater: Plugin = {
  name: "loaded later",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path: file, kind }) =>
      kind === "dynamic-import" ? { path: file, external: true } : undefined,
    );
  },
};

const cases: Readonly<Record<string, Case>> = JSON.parse(read("scripts/size-cases.json"));
const problems: string[] = [];
for (const [name, { code, gzip }] of Object.entries(cases)) {
  try {
    const { raw, packed } = await sizeOf(code);
    const line = `${name}: ${packed} bytes gzip (${raw} minified), budget ${gzip}`;
    if (packed > gzip) problems.push(`${line}; over by ${packed - gzip}`);
    else if (process.argv.includes("--all")) console.log(line);
  } catch (error) {
    problems.push(`${name}: does not bundle: ${error instanceof Error ? error.message : String(error)}`);
  }
}
report("size", problems);

async function sizeOf(code: string): Promise<{ raw: number; packed: number }> {
  const { outputFiles, warnings } = await build({
    // The tests depend on every package, so names resolve from their folder.
    stdin: { contents: code, resolveDir: path.join(ROOT, "tests"), sourcefile: "case.js", loader: "js" },
    bundle: true,
    write: false,
    minify: true,
    treeShaking: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["@jnx/source"],
    logLevel: "silent",
    plugins: [loadedLater],
  });
  // A member that a namespace lacks is only a warning to esbuild.
  if (warnings[0] !== undefined) throw new Error(warnings[0].text);
  const [output] = outputFiles;
  if (output === undefined) throw new Error("esbuild wrote no file");
  return { raw: output.contents.length, packed: gzipSync(output.contents, { level: 9 }).length };
}
