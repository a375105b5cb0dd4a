import { execFileSync } from "node:child_process";
import path from "node:path";
import { defineConfig } from "vitest/config";

// Kernels as data are made from the .wgsl files and not committed; after a checkout old ones give errors that say nothing.
const gen = path.join(import.meta.dirname, "scripts/wgsl.ts");
execFileSync(process.execPath, ["--import", "tsx", gen], { stdio: "inherit" });

// Workspace packages resolve to their TypeScript sources, as in every other command of this repository.
const conditions = ["@jnx/source", "module", "node", "development|production", "import", "default"];

const adapter = process.env["JNX_ADAPTER"] ?? "swiftshader";
/** Tests of WebGPU itself: its drivers, its adapters, its objects. tests/wasm has the same for the CPU. */
const webgpuOnly = [
  // How much waits for the collector is the event loop's business, and kernels that run at once leave it no turn.
  "tests/memory/arenas.spec.ts",
  "tests/device/{counters,errors,in-flight,init,launch,program}.spec.ts",
  "tests/kernels/{gates,legal}.spec.ts",
  // Start processes of their own, whatever the adapter.
  "tests/conformance/{hosts,refusals}.spec.ts",
  "tests/transforms/compile-growth.spec.ts",
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["tests/**/*.spec.ts"],
    exclude: ["**/node_modules/**", ...(adapter === "wasm" ? webgpuOnly : [])],
    // One process after another on WebGPU: compiling pipelines fills both cores, and a device per file must not pile up.
    pool: "forks",
    maxWorkers: adapter === "wasm" ? 2 : 1,
    // One process for all files, so that a device and its pipelines are made once. lavapipe maps memory for every pipeline and
    // the kernel (vm.max_map_count) lets a process have 65,530 maps: there each file gets its own, or each part of --shard.
    isolate: adapter === "lavapipe" && !process.argv.some((argument) => argument.startsWith("--shard")),
    // A software adapter needs 0.3 to 2.5 s for each pipeline.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The tests choose their device by this name; see packages/testing.
    env: { JNX_ADAPTER: adapter },
    expandSnapshotDiff: true,
    typecheck: { enabled: false },
  },
});
