/** Runs a WGSL text on the compiler under test, in this thread, and on the WebGPU adapter of JNX_ADAPTER. */
import { compile, WgslError, type CompileOptions } from "@jnx/wgsl-wasm/compiler";
import type { Binding } from "@jnx/kernels-wgsl";
import type { Executor } from "@jnx/tensor";

export type Words = Float32Array | Int32Array | Uint32Array;
export type Grid = readonly [number, number, number];

export const OPTIONS: CompileOptions = { relaxedSimd: false, sharedMemory: false, clampIndices: false };

const TABLE = 65536;
const SCRATCH = 2 * 65536;
const BUFFERS = 16 * 65536;

/** Contents of all bindings after the run, as bits, in the order of (group, binding); the fault word in checked mode. */
export function runWasm(
  code: string,
  buffers: readonly Words[],
  grid: Grid,
  options: Partial<CompileOptions> = {},
): { readonly results: Uint32Array[]; readonly fault: number } {
  const kernel = compile(code, { ...OPTIONS, ...options });
  const total = buffers.reduce((sum, data) => sum + data.byteLength + 256, BUFFERS);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(total / 65536) + 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernel.bytes), { env: { memory } });
  // The one export, by the interface of CompiledKernel.
  const run = exports["run"] as (...args: number[]) => void;
  const words = new Uint32Array(memory.buffer);
  let at = BUFFERS;
  const places = buffers.map((data, k) => {
    const place = at;
    words.set(bitsOf(data), place / 4);
    words.set([place, data.byteLength], TABLE / 4 + 2 * k);
    at += Math.ceil(data.byteLength / 64) * 64 + 64;
    return place;
  });
  // Garbage, for scratch memory is not zeroed.
  words.fill(0xdeadbeef, SCRATCH / 4, (SCRATCH + kernel.scratchBytes) / 4);
  words[SCRATCH / 4] = 0;
  const groups = grid[0] * grid[1] * grid[2];
  // In two slices, as a launcher would.
  const half = Math.floor(groups / 2);
  run(0, half, ...grid, SCRATCH, TABLE);
  run(half, groups, ...grid, SCRATCH, TABLE);
  const results = buffers.map((data, k) => words.slice((places[k] ?? 0) / 4, (places[k] ?? 0) / 4 + data.length));
  return { results, fault: words[SCRATCH / 4] ?? 0 };
}

export function bitsOf(data: Words): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/** The same through an executor; uniforms come first among the bindings of group 0, one at most. */
export async function runExecutor(
  executor: Executor,
  code: string,
  bindings: readonly Binding[],
  buffers: readonly Words[],
  grid: Grid,
): Promise<Uint32Array[]> {
  const uniforms: Uint8Array[] = [];
  const held = buffers.map((data, k) => {
    if (bindings[k]?.access === "uniform") {
      uniforms.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return undefined;
    }
    const buffer = executor.allocate(data.byteLength, "compiler test");
    executor.write(buffer, data);
    return buffer;
  });
  const kernel = { name: "compiler-test", code, bindings };
  executor.run({
    label: "compiler test",
    kernel,
    buffers: held.filter((buffer) => buffer !== undefined),
    uniforms,
    grid,
  });
  const results: Uint32Array[] = [];
  for (const [k, buffer] of held.entries()) {
    const data = buffers[k];
    if (data === undefined) continue;
    results.push(buffer === undefined ? bitsOf(data) : new Uint32Array(await executor.read(buffer, data.byteLength)));
    if (buffer !== undefined) executor.release(buffer);
  }
  return results;
}

/** The error with which the compiler refuses a text; undefined if it takes it. */
export function refusal(code: string): WgslError | undefined {
  try {
    compile(code, OPTIONS);
    return undefined;
  } catch (error) {
    if (error instanceof WgslError) return error;
    throw error;
  }
}
