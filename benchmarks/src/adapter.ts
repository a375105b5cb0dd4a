/** Gives this Node process what the engines of a run compute on: one WebGPU adapter under `navigator.gpu`, or the CPU. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** `wasm` is the CPU itself: every engine's own WebAssembly, without WebGPU. */
export const adapterNames = ["swiftshader", "lavapipe", "system", "wasm"] as const;
export type AdapterName = (typeof adapterNames)[number];

/** Which of its back ends an engine takes. */
export type Backend = "webgpu" | "wasm";

export function backendOf(adapter: AdapterName): Backend {
  return adapter === "wasm" ? "wasm" : "webgpu";
}

const lavapipe = "/usr/share/vulkan/icd.d/lvp_icd.json";

/** Unpacks the plain files of a tar archive into a folder. */
function untar(archive: Buffer, folder: string): void {
  for (let at = 0; at + 512 <= archive.length;) {
    const name = archive.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (name === "") return;
    const size = parseInt(archive.toString("latin1", at + 124, at + 136), 8);
    const kind = archive.toString("latin1", at + 156, at + 157);
    at += 512;
    if (kind === "0" || kind === "\0")
      writeFileSync(path.join(folder, path.basename(name)), archive.subarray(at, at + size));
    at += Math.ceil(size / 512) * 512;
  }
}

/** Unpacks SwiftShader out of the npm package once and loads its Vulkan loader into this process. */
function loadSwiftShader(): string {
  const require = createRequire(import.meta.url);
  const archive = path.join(packageRoot(require, "@sparticuz/chromium"), "bin/swiftshader.tar.br");
  const folder = path.join(os.tmpdir(), `jnx-bench-swiftshader-${process.getuid?.() ?? 0}`);
  const icd = path.join(folder, "vk_swiftshader_icd.json");
  if (!existsSync(icd)) {
    mkdirSync(folder, { recursive: true });
    untar(brotliDecompressSync(readFileSync(archive)), folder);
  }
  const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen;
  const noDelete = 0x1000;
  try {
    process.dlopen({ exports: {} }, path.join(folder, "libvulkan.so.1"), RTLD_NOW | RTLD_GLOBAL | noDelete);
  } catch {
    // It always throws "did not self-register", for it is no Node module; it stays loaded, which is the point.
  }
  return icd;
}

/** The folder of an installed package, whatever its exports say. */
function packageRoot(require: NodeJS.Require, name: string): string {
  const entry = require.resolve(name);
  const marker = path.join(...name.split("/"));
  return entry.slice(0, entry.lastIndexOf(marker) + marker.length);
}

/** Points the Vulkan loader at the adapter. `system` leaves it as it is; `wasm` needs none. */
export function chooseAdapter(name: AdapterName): void {
  if (name === "swiftshader") process.env["VK_DRIVER_FILES"] = loadSwiftShader();
  if (name !== "lavapipe") return;
  if (!existsSync(lavapipe)) {
    throw new Error(
      `adapter: lavapipe is not installed (no ${lavapipe}); install mesa-vulkan-drivers 25 or use --adapter swiftshader`,
    );
  }
  process.env["VK_DRIVER_FILES"] = lavapipe;
}

/** What engines ask the browser about the CPU; Node 20 has no navigator. */
export function installCpu(): string {
  const navigator = { userAgent: "node", hardwareConcurrency: os.cpus().length };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
  return `WebAssembly on ${navigator.hardwareConcurrency} cores`;
}

/** Loads Dawn, sets `navigator.gpu` and the WebGPU classes as globals, and gives those classes. */
export async function installWebGPU(): Promise<object> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  // The object create() returns must stay reachable, or Dawn crashes when it is collected.
  const navigator = { gpu: create([]), userAgent: "node", hardwareConcurrency: os.cpus().length };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
  return globals;
}
