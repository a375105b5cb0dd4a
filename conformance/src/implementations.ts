import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import chromiumPackage from "@sparticuz/chromium";
import { openBrowser } from "./hosts.ts";
import type { Report } from "./run.ts";
import { bundle, serve } from "./serve.ts";

export interface Task {
  readonly only: string | undefined;
  onProgress(done: number, total: number): void;
}

const LAVAPIPE = "/usr/share/vulkan/icd.d/lvp_icd.json";
const require = createRequire(import.meta.url);

/** Every implementation of WebGPU that can run here, and the CPU, by name. Throws when one that was asked for cannot. */
export const implementations: Readonly<Record<string, (task: Task) => Promise<Report>>> = {
  swiftshader: (task) => inNode("swiftshader", task),
  lavapipe: (task) => inNode("lavapipe", task),
  wasm: (task) => inNode("wasm", task),
  least: (task) => inNode("lavapipe", task, "least"),
  chromium: inChromium,
  deno: inDeno,
};

function inNode(adapter: string, task: Task, limits: "all" | "least" = "all"): Promise<Report> {
  const entry = fileURLToPath(new URL("node.ts", import.meta.url));
  const args = ["--conditions=@jnx/source", "--import", require.resolve("tsx"), entry, adapter, limits];
  return reported(process.execPath, [...args, ...(task.only === undefined ? [] : [task.only])], {}, task);
}

async function inDeno(task: Task): Promise<Report> {
  const folder = mkdtempSync(path.join(tmpdir(), "jnx-conformance-"));
  try {
    const file = path.join(folder, "suite.js");
    writeFileSync(file, await bundle("deno.ts"));
    const deno = path.join(path.dirname(require.resolve("deno/package.json")), "bin.cjs");
    const args = [deno, "run", "--allow-all", "--unstable-webgpu", file];
    const only = task.only === undefined ? [] : [task.only];
    return await reported(process.execPath, [...args, ...only], await vulkan(), task);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What tells a process where its Vulkan driver is: lavapipe where it is installed, else the SwiftShader beside Chromium. */
async function vulkan(): Promise<Record<string, string>> {
  if (existsSync(LAVAPIPE)) return { VK_DRIVER_FILES: LAVAPIPE };
  const folder = path.dirname(await chromiumPackage.executablePath());
  return { VK_DRIVER_FILES: path.join(folder, "vk_swiftshader_icd.json"), LD_LIBRARY_PATH: folder };
}

async function inChromium(task: Task): Promise<Report> {
  const server = await serve();
  const browser = await openBrowser({ webgpu: true });
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(0);
    await tab.goto(server.url);
    const watch = setInterval(() => {
      tab
        .evaluate(() => window.conformanceProgress)
        .then((progress) => progress && task.onProgress(...progress))
        .catch(() => undefined); // the page may just be closing
    }, 1000);
    try {
      return await tab.evaluate(
        (only) => window.runConformance?.(only) ?? Promise.reject(new Error("no suite")),
        task.only,
      );
    } finally {
      clearInterval(watch);
    }
  } finally {
    await browser.close();
    server.close();
  }
}

/** Runs a child that prints "progress N M" lines on its error stream, and its report as the last line. */
function reported(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  task: Task,
): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().split("\n")) {
        const [, done, total] = /^progress (\d+) (\d+)/.exec(line) ?? [];
        if (done !== undefined) task.onProgress(Number(done), Number(total));
        else err = `${err}${line}\n`.slice(-4000);
      }
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const last = out.trim().split("\n").at(-1) ?? "";
      if (!last.startsWith("{"))
        reject(new Error(`conformance: the suite ended with code ${code} and no report\n${err}`));
      else resolve(JSON.parse(last));
    });
  });
}
