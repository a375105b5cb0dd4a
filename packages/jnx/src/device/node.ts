import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ask, navigatorGpu, noAdapter, reason } from "./source.ts";
import type { AdapterWish } from "./name.ts";
import { loadVulkan, unpackSwiftShader } from "./swiftshader.ts";

type Power = "high-performance" | "low-power";
type Create = (options: readonly string[]) => GPU;

/** Dawn's entry points by adapter: a script that let one be collected crashed. */
const kept: Map<string, GPU> = ((globalThis as Record<symbol, unknown>)[Symbol.for("jnx.gpu")] ??= new Map()) as Map<
  // The symbol is ours: nothing else is stored there.
  string,
  GPU
>;

const REMEDIES = [
  "in Node: `npm install webgpu` (Dawn; needs a Vulkan, Metal or D3D12 driver)",
  "on Linux x64 without a GPU driver also: `npm install @sparticuz/chromium@147.0.0`, which holds SwiftShader, a driver that computes on the CPU",
  "or run in a browser with WebGPU, in Deno with --unstable-webgpu, or pass a device: init({ device })",
];

/**
 * Node's adapters: `navigator.gpu` where the platform has it, else the optional package `webgpu` with the system's driver,
 * else with the SwiftShader driver of the optional package `@sparticuz/chromium`.
 */
export async function nodeAdapter(name: AdapterWish, power: Power): Promise<GPUAdapter> {
  const tried: string[] = [];
  const adapter = await find(name, power, tried);
  if (adapter !== undefined) return adapter;
  const remedies = name === "lavapipe" ? [LAVAPIPE_REMEDY, ...REMEDIES] : REMEDIES;
  throw noAdapter(name, tried, remedies);
}

async function find(name: AdapterWish, power: Power, tried: string[]): Promise<GPUAdapter | undefined> {
  if (name === "swiftshader") return swiftShader(power, tried);
  if (name === "lavapipe") return lavapipe(power, tried);
  const found = (await platform(power, tried, name)) ?? (await system(power, tried, name));
  return found ?? (name === "webgpu" ? swiftShader(power, tried) : undefined);
}

async function platform(power: Power, tried: string[], wish: AdapterWish): Promise<GPUAdapter | undefined> {
  const gpu = navigatorGpu();
  if (gpu !== undefined) return ask(gpu, power, "navigator.gpu", tried, wish);
  tried.push("navigator.gpu: not there");
  return undefined;
}

async function system(power: Power, tried: string[], wish: AdapterWish): Promise<GPUAdapter | undefined> {
  const create = await loadDawn(tried);
  return create && withDrivers(create, undefined, power, "the system's driver through the package webgpu", tried, wish);
}

async function swiftShader(power: Power, tried: string[]): Promise<GPUAdapter | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    tried.push(`SwiftShader of @sparticuz/chromium: for Linux x64 only, this is ${process.platform} ${process.arch}`);
    return undefined;
  }
  const entry = resolvePackage("@sparticuz/chromium");
  if (entry === undefined) {
    tried.push("SwiftShader of @sparticuz/chromium: the package is not installed");
    return undefined;
  }
  try {
    const folder = unpackSwiftShader(dirname(entry));
    loadVulkan(join(folder, "libvulkan.so.1"));
    const create = await loadDawn(tried);
    const driver = { file: join(folder, "vk_swiftshader_icd.json"), is: /swiftshader/i };
    return create && (await withDrivers(create, driver, power, "SwiftShader of @sparticuz/chromium", tried));
  } catch (error) {
    tried.push(`SwiftShader of @sparticuz/chromium: ${reason(error)}`);
    return undefined;
  }
}

const LAVAPIPE_REMEDY =
  "install Mesa's lavapipe, 24 or later (the package mesa-vulkan-drivers of Debian and Ubuntu) and libvulkan1";

async function lavapipe(power: Power, tried: string[]): Promise<GPUAdapter | undefined> {
  const data = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local/share");
  const roots = [data, "/etc", "/usr/local/share", "/usr/share"].map((root) => join(root, "vulkan/icd.d"));
  const found = roots.flatMap((root) =>
    existsSync(root)
      ? readdirSync(root)
          .filter((file) => /^lvp_icd.*\.json$/.test(file))
          .map((file) => join(root, file))
      : [],
  )[0];
  if (found === undefined) {
    tried.push(`lavapipe: no lvp_icd*.json in ${roots.join(", ")}`);
    return undefined;
  }
  const create = await loadDawn(tried);
  return create && withDrivers(create, { file: found, is: /llvmpipe/i }, power, `lavapipe by ${found}`, tried);
}

/** A driver's manifest, and how to tell its adapter. */
interface Driver {
  readonly file: string;
  readonly is: RegExp;
}

const WORKER_REMEDY =
  "in a worker thread, start it with { env: SHARE_ENV }, for drivers see the process's environment only";

/** Asks Dawn for an adapter, with the Vulkan loader told of this driver only. */
async function withDrivers(
  create: Create,
  driver: Driver | undefined,
  power: Power,
  what: string,
  tried: string[],
  wish: AdapterWish = "webgpu",
): Promise<GPUAdapter | undefined> {
  const key = driver?.file ?? "system";
  const known = kept.get(key);
  if (known !== undefined) return ask(known, power, what, tried, wish);
  const before = process.env["VK_DRIVER_FILES"];
  if (driver !== undefined) process.env["VK_DRIVER_FILES"] = driver.file;
  try {
    const gpu = create([]);
    const adapter = await ask(gpu, power, what, tried, wish);
    if (adapter === undefined || driver?.is.test(adapter.info.description) === false) {
      if (adapter !== undefined) tried.push(`${what}: ${adapter.info.description} came instead; ${WORKER_REMEDY}`);
      return undefined;
    }
    kept.set(key, gpu);
    return adapter;
  } finally {
    // The loader has read it; child processes must not inherit our choice.
    if (before === undefined) delete process.env["VK_DRIVER_FILES"];
    else process.env["VK_DRIVER_FILES"] = before;
  }
}

let dawn: Promise<Create | string> | undefined;

/** `create` of the optional package webgpu. */
async function loadDawn(tried: string[]): Promise<Create | undefined> {
  dawn ??= importDawn();
  const loaded = await dawn;
  if (typeof loaded !== "string") return loaded;
  if (!tried.includes(loaded)) tried.push(loaded);
  return undefined;
}

async function importDawn(): Promise<Create | string> {
  // A variable, so that bundlers do not look for an optional package.
  const name = "webgpu";
  const found = resolvePackage(name);
  for (const specifier of found === undefined ? [name] : [name, pathToFileURL(found).href]) {
    try {
      // What the package documents: it has no types of its own.
      const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as { create: Create };
      return module.create;
    } catch (error) {
      if (!isMissing(error)) return `the package webgpu: does not load: ${reason(error)}`;
    }
  }
  return "the package webgpu: not installed";
}

function isMissing(error: unknown): boolean {
  const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  return missing && error.message.includes("'webgpu'");
}

/** The main file of an optional package, as the application or the working folder sees it. */
function resolvePackage(name: string): string | undefined {
  for (const folder of [process.argv[1] && dirname(process.argv[1]), process.cwd()]) {
    if (!folder) continue;
    try {
      return createRequire(join(folder, "resolve.js")).resolve(name);
    } catch {
      // Not there: the next folder may have it.
    }
  }
  return undefined;
}
