import type { Binding, LinkedKernel } from "@jnx/kernels-wgsl";
import type { Executor } from "@jnx/tensor";
import type { DeviceBuffer, Launch } from "@jnx/tensor/internal";

const uniform: Binding = {
  group: 0,
  binding: 0,
  name: "p",
  access: "uniform",
  layout: {
    bytes: 8,
    fields: [
      { name: "n", type: "u32", offset: 0 },
      { name: "c", type: "u32", offset: 4 },
    ],
  },
};

let variants = 0;

/** y[i] = 3 x[i] + y[i] + c, wrapping. Each call gives a text, and so a pipeline, of its own. */
export function mixKernel(name = "mix"): LinkedKernel {
  return {
    name,
    code: `// variant ${process.pid} ${variants++}
struct Params { n: u32, c: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (wid.x + wid.y * num.x) * 64u + l;
  if (i < p.n) { y[i] = 3u * x[i] + y[i] + p.c; }
}
`,
    bindings: [
      uniform,
      { group: 1, binding: 0, name: "x", access: "read" },
      { group: 1, binding: 1, name: "y", access: "read_write" },
    ],
  };
}

export const mix = mixKernel();

/** The uniform of `mix`. */
export function params(n: number, c: number): Uint8Array {
  return new Uint8Array(new Uint32Array([n, c]).buffer);
}

/** y = 3 x + y + c over n elements. */
export function mixLaunch(x: DeviceBuffer, y: DeviceBuffer, n: number, c: number, kernel = mix): Launch {
  return {
    label: kernel.name,
    kernel,
    buffers: [x, y],
    uniforms: [params(n, c)],
    grid: [Math.ceil(n / 64), 1, 1],
  };
}

/** A buffer with this content. */
export function upload(executor: Executor, data: Uint32Array, label = "test"): DeviceBuffer {
  const buffer = executor.allocate(data.byteLength, label);
  executor.write(buffer, data);
  return buffer;
}

/** The first n numbers of a buffer. */
export async function numbers(executor: Executor, buffer: DeviceBuffer, n: number): Promise<Uint32Array> {
  return new Uint32Array(await executor.read(buffer, 4 * n));
}

/** A small generator of pseudo-random numbers below a bound: runs are repeatable. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("the promise did not reject");
}
