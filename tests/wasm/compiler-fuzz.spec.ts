/**
 * Random kernels on the compiler under test and on the adapter of JNX_ADAPTER (Dawn, then a driver): the same bits.
 * JNX_FUZZ=400 tries more seeds; a failure names its seed, which makes the same text again.
 */
import { makeAdapter } from "@jnx/testing";
import { requestExecutor } from "@jnx/tensor/internal";
import type { Executor } from "@jnx/tensor";
import { init } from "jnx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runExecutor, runWasm } from "./compiler-kit.ts";
import { RandomKernel, randomOf } from "./compiler-random.ts";

const SEEDS = Number(process.env["JNX_FUZZ"] ?? 6);
const ELEMENTS = 48;
const GRID = [2, 3, 1] as const;
const BINDINGS = [
  { group: 0, binding: 0, name: "p", access: "uniform", layout: { bytes: 16, fields: [] } },
  { group: 0, binding: 1, name: "x0", access: "read" },
  { group: 0, binding: 2, name: "x1", access: "read" },
  { group: 0, binding: 3, name: "y", access: "read_write" },
] as const;

let device: Executor | undefined;

// Where the suite itself runs on WebAssembly there is no Dawn to compare with; its own run has the other adapters.
const onWasm = process.env["JNX_ADAPTER"] === "wasm";

beforeAll(async () => {
  if (onWasm) await init({ device: "wasm" });
  else device = await requestExecutor(await makeAdapter(), {});
});

afterAll(() => device?.destroy());

describe.skipIf(onWasm)("random kernels give Dawn's bits", () => {
  test.each(Array.from({ length: SEEDS }, (_, k) => k + 1))("seed %i", async (seed) => {
    if (device === undefined) throw new Error("no device");
    const code = new RandomKernel(randomOf(seed)).text();
    const random = randomOf(seed * 77 + 1);
    const params = new DataView(new ArrayBuffer(16));
    params.setUint32(0, ELEMENTS, true);
    params.setUint32(4, Math.floor(random() * 30), true);
    params.setInt32(8, -7, true);
    params.setFloat32(12, 3, true);
    const buffers = [
      new Uint32Array(params.buffer),
      Float32Array.from({ length: ELEMENTS }, () => Math.floor(random() * 41) - 20),
      Uint32Array.from({ length: 4 * ELEMENTS }, () => Math.floor(random() * (random() < 0.5 ? 16 : 2 ** 32))),
      new Uint32Array(4 * ELEMENTS),
    ];
    const mine = runWasm(code, buffers, GRID).results[3];
    const checked = runWasm(code, buffers, GRID, { clampIndices: true });
    expect(checked.fault).toBe(0);
    expect(checked.results[3]).toEqual(mine);
    let theirs: Uint32Array | undefined;
    try {
      theirs = (await runExecutor(device, code, BINDINGS, buffers, GRID))[3];
    } catch (error) {
      // Dawn finds constants that overflow or divide by zero; the generator does not look for them.
      if (/integer division by zero|cannot be represented/.test(String(error))) return;
      throw error;
    }
    expect(mine).toEqual(theirs);
  });
});
