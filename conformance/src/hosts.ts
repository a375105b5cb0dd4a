/** The probe on every host at hand: programs that run JavaScript, and pages as servers may send them. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import chromiumPackage from "@sparticuz/chromium";
import { chromium, type Browser, type Page } from "playwright-core";
import type { Probe } from "./probe.ts";
import { bundle, ISOLATED, listen } from "./serve.ts";

const require = createRequire(import.meta.url);
const run = promisify(execFile);

/** Programs that run JavaScript, by name: the command, without the file. */
const programs = {
  node: (): readonly string[] => [process.execPath],
  deno: () => [process.execPath, besides("deno", "bin.cjs"), "run", "--allow-all"],
  "deno without permissions": () => [process.execPath, besides("deno", "bin.cjs"), "run", "--no-prompt"],
  bun: () => [bunBinary()],
} as const;

export type ProgramName = keyof typeof programs;
export const programNames: readonly ProgramName[] = ["node", "deno", "deno without permissions", "bun"];

function besides(name: string, file: string): string {
  return path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
}

/** Bun's package brings the binary as an optional dependency of its own, one for each platform. */
function bunBinary(): string {
  const { platform, arch } = process;
  const name = `@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}`;
  const own = createRequire(require.resolve("bun/package.json"));
  return path.join(path.dirname(own.resolve(`${name}/package.json`)), "bin/bun");
}

/** The probe in a program of its own, from one bundled file. */
export async function probeProgram(name: ProgramName): Promise<Probe> {
  const folder = mkdtempSync(path.join(tmpdir(), "jnx-probe-"));
  try {
    const file = path.join(folder, "probe.mjs");
    writeFileSync(file, await bundle("probe.ts"));
    const [command = "", ...args] = programs[name]();
    const { stdout } = await run(command, [...args, file], { timeout: 60_000 });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Probe; // what probe.ts prints
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a server sends a page. */
export interface PageKind {
  /** With the headers that give it shared memory. */
  readonly isolated: boolean;
  /** Its Content-Security-Policy. */
  readonly policy?: string;
  /** The probe runs in a web worker of the page. */
  readonly inWorker?: boolean;
}

/** A headless Chromium for several pages; with WebGPU, on SwiftShader, if asked. */
export async function openBrowser({ webgpu = false } = {}): Promise<Browser> {
  const executablePath = await chromiumPackage.executablePath();
  const adapter = webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : [];
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--no-first-run", ...adapter] });
}

/** What a page's user is told of the kernel in refusal.ts; undefined if it runs there. Rejects when nothing is said in time. */
export async function refusalIn(browser: Browser, milliseconds: number): Promise<string | undefined> {
  const scripts = { "/main.js": await bundle("refusal.ts") };
  return inPage(browser, { scripts, sets: "jnxRefusal" }, (tab) =>
    tab.evaluate(async (patience) => {
      const { jnxRefusal } = globalThis as { jnxRefusal?: () => Promise<string | undefined> }; // set by refusal.ts
      const silence = new Promise<never>((_, reject) => {
        setTimeout(() => {
          reject(new Error(`nothing was said in ${patience} ms`));
        }, patience);
      });
      return Promise.race([jnxRefusal?.(), silence]);
    }, milliseconds),
  );
}

interface Served {
  /** By path; the page loads `/main.js`. */
  readonly scripts: Readonly<Record<string, string>>;
  /** The global that it sets when it is ready. */
  readonly sets: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves a page, opens it, and closes both when `use` is done. */
async function inPage<T>(browser: Browser, served: Served, use: (tab: Page) => Promise<T>): Promise<T> {
  const { scripts, sets, headers = {} } = served;
  const site = await listen(0, (path) => {
    const text = scripts[path];
    if (text !== undefined) return { type: "text/javascript", text, headers };
    return { type: "text/html", text: '<script type="module" src="/main.js"></script>', headers };
  });
  const tab = await browser.newPage();
  try {
    await tab.goto(site.url);
    await tab.waitForFunction(`globalThis.${sets} !== undefined`, undefined, { timeout: 20_000 });
    return await use(tab);
  } finally {
    await tab.close();
    site.close();
  }
}

/** The probe in a page; rejects with the error that the page's own code gets. */
export async function probePage(browser: Browser, { isolated, policy, inWorker }: PageKind): Promise<Probe> {
  const script = await bundle("probe.ts");
  const headers = {
    ...(isolated ? ISOLATED : {}),
    ...(policy === undefined ? {} : { "content-security-policy": policy }),
  };
  const worker = `${script}\njnxProbe().then((probe) => postMessage({ probe }), (error) => postMessage({ error: String(error) }));`;
  const main = async (): Promise<Probe> => {
    // Set by probe.ts, which the page loads.
    const { jnxProbe } = globalThis as { jnxProbe?: () => Promise<Probe> };
    if (jnxProbe === undefined) throw new Error("the page did not load the probe");
    return jnxProbe();
  };
  const asWorker = (): Promise<Probe> =>
    new Promise((resolve, reject) => {
      const started = new Worker("/worker.js", { type: "module" });
      started.onmessage = ({ data }: MessageEvent<{ probe?: Probe; error?: string }>) => {
        if (data.probe === undefined) reject(new Error(data.error));
        else resolve(data.probe);
      };
      started.onerror = ({ message }) => reject(new Error(message));
    });
  const served = { scripts: { "/main.js": script, "/worker.js": worker }, sets: "jnxProbe", headers };
  return inPage(browser, served, (tab) => tab.evaluate(inWorker === true ? asWorker : main));
}
