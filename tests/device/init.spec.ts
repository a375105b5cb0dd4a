import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const temporary = mkdtempSync(join(tmpdir(), "jnx-init-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
}

/** Runs Node until it ends by itself; after a minute it counts as hanging. */
function node(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env }, timeout: 50_000 });
    let out = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.on("close", (code) => resolve({ code, out }));
  });
}

function child(file: string, env: Record<string, string> = {}): Promise<Ended> {
  return node(["--conditions=@jnx/source", "--import", "tsx", join(import.meta.dirname, "child", file)], ROOT, env);
}

describe("a process that has used the device", () => {
  test("ends by itself, with code 0", async () => {
    const { code, out } = await child("use.ts");
    expect(out).toMatch(/^\w+ \w+: 15\n$/);
    expect(code).toBe(0);
  });

  test("prints kernels, times and WGSL when DEBUG asks for them", async () => {
    const { out } = await child("use.ts", { DEBUG: "3" });
    expect(out).toMatch(/jnx: flush 1: 1 dispatches, \d+\.\d us\n {2}mix: 1, \d+\.\d us\n/);
    expect(out).toMatch(/jnx: pipeline mix\n\/\/ variant .*\nstruct Params/);
    // Other tools' settings mean nothing here.
    expect((await child("use.ts", { DEBUG: "vite:*" })).out).not.toContain("jnx:");
  });

  test("gets a new device from init() after a loss", async () => {
    const { code, out } = await child("loss.ts");
    expect(out).toBe("3\nDeviceLostError 0\n6\nDeviceLostError 0\n9\nDeviceLostError 0\n");
    expect(code).toBe(0);
  });

  test("trains on over fifty devices, each lost in the middle of a step, as on one", async () => {
    const { code, out } = await child("cycles.ts");
    expect(out).toMatch(/\ntrue 0\.\d+\n$/);
    // What SwiftShader and lavapipe keep of a device that was destroyed is theirs.
    expect(Number(/grew (-?\d+) MiB/.exec(out)?.[1])).toBeLessThan(120);
    expect(code).toBe(0);
  });

  test("unpacks SwiftShader once, however many start together", async () => {
    const cache = join(temporary, "cache");
    const env = { XDG_CACHE_HOME: cache, JNX_ADAPTER: "swiftshader" };
    const ended = await Promise.all([1, 2, 3].map(() => child("use.ts", env)));
    for (const { code, out } of ended) expect([code, out]).toEqual([0, "google swiftshader: 15\n"]);
    expect(readdirSync(join(cache, "jnx"))).toEqual(["swiftshader-147.0.0"]);
  });
});

describe("where nothing is installed", () => {
  const bare = join(temporary, "bare");
  const dawnOnly = join(temporary, "dawn");

  beforeAll(async () => {
    mkdirSync(join(dawnOnly, "node_modules"), { recursive: true });
    mkdirSync(bare);
    for (const folder of [bare, dawnOnly]) {
      cpSync(join(import.meta.dirname, "child/missing.mjs"), join(folder, "missing.mjs"));
      await build({
        entryPoints: [join(ROOT, "packages/jnx/src/node.ts")],
        outfile: join(folder, "jnx.mjs"),
        bundle: true,
        format: "esm",
        platform: "node",
        conditions: ["@jnx/source"],
        logLevel: "error",
      });
    }
    const dawn = dirname(createRequire(join(ROOT, "package.json")).resolve("webgpu"));
    symlinkSync(dawn, join(dawnOnly, "node_modules/webgpu"), "dir");
  });

  test("importing works and loads no driver; init() computes on the CPU and says so", async () => {
    const { code, out } = await node(["missing.mjs"], bare);
    expect(code).toBe(0);
    expect(out).toMatch(/^loaded: \nwasm WebAssembly SIMD on the CPU, \d+ threads?.*: 3,5,7\n$/);
  });

  test("with Dawn, but no driver, or none but a software one", async () => {
    const { code, out } = await node(["missing.mjs"], dawnOnly, { VK_DRIVER_FILES: "/nowhere.json" });
    expect(code).toBe(0);
    expect(out).toMatch(/\nwasm WebAssembly SIMD on the CPU/);
  });

  test("a WebGPU adapter that is wanted: init() says what was tried and what to do", async () => {
    const { code, out } = await node(["missing.mjs", "webgpu"], bare);
    expect(code).toBe(0);
    expect(out).toBe(`loaded: 
NoAdapterError
init: no WebGPU adapter was found. Tried:
  - navigator.gpu: not there
  - the package webgpu: not installed
  - SwiftShader of @sparticuz/chromium: the package is not installed
To get one:
  - in Node: \`npm install webgpu\` (Dawn; needs a Vulkan, Metal or D3D12 driver)
  - on Linux x64 without a GPU driver also: \`npm install @sparticuz/chromium@147.0.0\`, which holds SwiftShader, a driver that computes on the CPU
  - or run in a browser with WebGPU, in Deno with --unstable-webgpu, or pass a device: init({ device })
`);
    const dawn = await node(["missing.mjs", "webgpu"], dawnOnly, { VK_DRIVER_FILES: "/nowhere.json" });
    expect(dawn.out).toContain("the system's driver through the package webgpu: has no adapter\n");
  });

  test("an adapter asked for by name", async () => {
    const { code, out } = await node(["missing.mjs", "swiftshader"], bare);
    expect(code).toBe(0);
    expect(out).toContain(
      'init: no adapter "swiftshader" was found. Tried:\n  - SwiftShader of @sparticuz/chromium: the package is not installed\n',
    );
  });
});
