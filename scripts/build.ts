/**
 * `pnpm build`: dist/ of every published package. One bundle per entry of `exports` (entries of a package share
 * chunks, so that its state exists once), other packages external, source maps, declarations beside.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { files, read, ROOT } from "./lib/sources.ts";

interface Package {
  readonly folder: string;
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
}

const tool = (name: string): string => path.join(ROOT, "node_modules", ".bin", name);
const run = (command: string, args: readonly string[]): void => {
  execFileSync(command, args, { cwd: ROOT, stdio: "inherit", shell: process.platform === "win32" });
};

try {
  await main();
} catch (error) {
  // esbuild and tsc have printed what is wrong, with file and line.
  console.error(`build failed: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  run(tool("tsx"), ["scripts/wgsl.ts"]);
  const all = packages();
  for (const one of all) {
    rmSync(path.join(ROOT, one.folder, "dist"), { recursive: true, force: true });
    const bytes = await bundle(one);
    console.log(`${one.name.padEnd(18)} ${(bytes / 1000).toFixed(1).padStart(7)} kB`);
  }
  declarations(all);
}

function packages(): Package[] {
  return files("package.json", ["packages"])
    .map((file): Package => ({ ...JSON.parse(read(file)), folder: path.posix.dirname(file) }))
    .filter((one) => one.private !== true);
}

/** The source of each entry: every "./src/….ts" that the "@jnx/source" condition leads to. */
function entries(one: Package): string[] {
  const found = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === "string") {
      if (value.startsWith("./src/")) found.add(path.join(ROOT, one.folder, value));
    } else if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
  };
  collect(one.exports);
  if (found.size === 0) throw new Error(`build: ${one.name} has no "@jnx/source" entry in its exports`);
  return [...found];
}

async function bundle(one: Package): Promise<number> {
  const entryPoints = entries(one);
  const result = await build({
    entryPoints,
    outdir: path.join(ROOT, one.folder, "dist"),
    bundle: true,
    splitting: entryPoints.length > 1,
    format: "esm",
    target: "es2022",
    // Everything that is not a relative path: sibling packages, `webgpu`, Node's own modules.
    packages: "external",
    sourcemap: true,
    metafile: true,
    logLevel: "warning",
  });
  const outputs = Object.entries(result.metafile.outputs).filter(([name]) => name.endsWith(".js"));
  return outputs.reduce((sum, [, output]) => sum + output.bytes, 0);
}

/**
 * Declarations as tsc writes them, file by file, all packages in one run; their "./x.ts" becomes "./x.js", which
 * leads to x.d.ts. Imports of other packages stay names, and so find the other's dist.
 */
function declarations(all: readonly Package[]): void {
  const types = "out/types";
  rmSync(path.join(ROOT, types), { recursive: true, force: true });
  run(tool("tsc"), ["-p", "tsconfig.build.json"]);
  for (const { folder } of all) {
    const from = `${types}/${path.posix.basename(folder)}/src`;
    for (const file of files(".d.ts", [from])) {
      const target = path.join(ROOT, folder, "dist", path.posix.relative(from, file));
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, read(file).replace(/(["'])(\.{1,2}\/[^"']*)\.ts\1/g, "$1$2.js$1"));
    }
  }
}
