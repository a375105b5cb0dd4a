/** Bundles an engine's ES modules into out/, so that importing it costs what it costs a user: one file, no transpiler. */
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../", import.meta.url));

export interface BundleOptions {
  /** The text of the entry module. */
  readonly contents: string;
  /** Packages left to Node. */
  readonly external: readonly string[];
  readonly banner?: string;
  readonly conditions?: readonly string[];
}

/** The file of a bundle. */
export const bundleFile = (name: string): string => `${folder}out/${name}/index.js`;

export async function bundle(name: string, options: BundleOptions): Promise<void> {
  // Only where it is needed: the engines' processes import this file too.
  const { build } = await import("esbuild");
  await build({
    stdin: { contents: options.contents, resolveDir: folder, sourcefile: "index.js" },
    outdir: `${folder}out/${name}`,
    entryNames: "index",
    bundle: true,
    // What an engine imports only when it needs it stays apart.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // The "module" builds are the browser's.
    mainFields: ["module", "main"],
    conditions: [...(options.conditions ?? [])],
    banner: { js: options.banner ?? "" },
    external: [...options.external],
    logLevel: "error",
  });
}
