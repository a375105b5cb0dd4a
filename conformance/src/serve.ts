import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readFileSync } from "node:fs";

const source = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** One of the entries of this folder as a single module that needs no package manager. */
export async function bundle(entry: "page.ts" | "deno.ts" | "probe.ts" | "refusal.ts"): Promise<string> {
  const result = await build({
    entryPoints: [source(entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["@jnx/source"],
    minify: true,
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`conformance: ${entry} gave no bundle`);
  return file.text;
}

/** The page that runs the suite in any browser, complete in one file. */
export async function page(): Promise<string> {
  const script = (await bundle("page.ts")).replaceAll("</script", "<\\/script");
  return readFileSync(source("../page/index.html"), "utf8").replace("/* the suite */", () => script);
}

/** Serves the page on a port of this machine's choosing, isolated or not as browsers ask for shared memory. */
export async function serve(port = 0): Promise<Site> {
  const html = await page();
  return listen(port, () => ({ type: "text/html", text: html, headers: ISOLATED }));
}

/** What makes a page cross-origin isolated. */
export const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
} as const;

export interface Site {
  readonly url: string;
  close(): void;
}

export interface Answer {
  readonly type: "text/html" | "text/javascript";
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A server on this machine; `answer` is given the path that was asked for. */
export async function listen(port: number, answer: (path: string) => Answer): Promise<Site> {
  const server: Server = createServer((request, response) => {
    const { type, text, headers } = answer(request.url ?? "/");
    response.writeHead(200, { "content-type": `${type}; charset=utf-8`, ...headers });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  // A server that listens on a port has an address of this form.
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${taken}/`, close: () => server.close() };
}
