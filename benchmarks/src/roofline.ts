/** What the adapter can do at most: multiply-adds, copies in a kernel, copies by the driver; and how long its shortest work takes. */
import { nap } from "../../packages/jnx/src/device/nap.ts";
import { summarize } from "./stats.ts";

export interface Roofline {
  readonly gflops: number;
  /** Bytes read and written by a kernel of vec4 copies, in GB/s. */
  readonly kernelGBs: number;
  /** The same by copyBufferToBuffer. */
  readonly copyGBs: number;
  /**
   * Microseconds that one workgroup of 16 KiB takes from its encoding until its end is known, in the median: what no execution that
   * is waited for can be shorter than. Results of earlier versions lack it.
   */
  readonly roundTripUs?: number;
}

const chainTrips = 256;
const aluThreads = 2 ** 14;
export const aluGroups = aluThreads / 64;
/** Chains on a GPU, whose invocations hide each other's latency. */
const gpuChains = 8;
/** Of one dispatch: chains of four lanes, a multiplication and an addition each. */
export function aluFlops(chains: number): number {
  return aluThreads * chainTrips * chains * 4 * 2;
}

export const copyBytes = 2 ** 25;
export const copyGroups = copyBytes / 16 / 1024;

/** Independent vec4 chains of multiply-adds in each invocation. */
export function aluSource(chains: number): string {
  const names = Array.from({ length: chains }, (_, i) => `c${i}`);
  const declare = names.map((n, i) => `var ${n} = vec4f(f32(id.x) * 1e-9 + ${i + 1}.0);`).join("\n");
  const body = names.map((n) => `${n} = fma(${n}, m, k);`).join("\n");
  return `
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
${declare}
let m = vec4f(0.9999);
let k = vec4f(0.0001);
for (var i = 0u; i < ${chainTrips / 2}u; i++) {
${body}
${body}
}
y[id.x] = ${names.join(" + ")};
}`;
}

export const copySource = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
let at = group.x * 1024u + local.x;
y[at] = x[at];
y[at + 256u] = x[at + 256u];
y[at + 512u] = x[at + 512u];
y[at + 768u] = x[at + 768u];
}`;

/** Dispatches of a submission: after a rest it takes milliseconds until a driver that computes on the CPU has all cores. */
const aluDispatches = 8;

interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly groups: number;
}

function kernel(device: GPUDevice, code: string, buffers: readonly GPUBuffer[], groups: number): Kernel {
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }), groups };
}

function encode({ pipeline, group, groups }: Kernel, dispatches = 1): (encoder: GPUCommandEncoder) => void {
  return (encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let k = 0; k < dispatches; k++) pass.dispatchWorkgroups(groups);
    pass.end();
  };
}

/** The shortest of some repetitions, in seconds; the first call, which compiles, is not among them. */
async function seconds(device: GPUDevice, work: (encoder: GPUCommandEncoder) => void): Promise<number> {
  let best = Infinity;
  for (let repetition = 0; repetition < 8; repetition++) {
    const begin = performance.now();
    const encoder = device.createCommandEncoder();
    work(encoder);
    device.queue.submit([encoder.finish()]);
    // Dawn's Node binding asks in each turn of the event loop, and a driver on the CPU then has a core less.
    await nap(device.queue.onSubmittedWorkDone());
    if (repetition > 0) best = Math.min(best, (performance.now() - begin) / 1000);
  }
  return best;
}

const roundTrips = 31;

/** The median time of a piece of work that is waited for, in microseconds. */
export async function roundTrip(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let repetition = 0; repetition < roundTrips; repetition++) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  return summarize(times).median * 1000;
}

/** Measures the adapter under `navigator.gpu`. */
export async function measureRoofline(): Promise<Roofline> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("roofline: the system has no WebGPU adapter; name one with --adapter");
  const device = await adapter.requestDevice();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [x, y] = [device.createBuffer({ size: copyBytes, usage }), device.createBuffer({ size: copyBytes, usage })];
  const alu = await seconds(device, encode(kernel(device, aluSource(gpuChains), [y], aluGroups), aluDispatches));
  const inKernel = await seconds(device, encode(kernel(device, copySource, [x, y], copyGroups)));
  const small = encode(kernel(device, copySource, [x, y], 1));
  const roundTripUs = await roundTrip(async () => {
    const encoder = device.createCommandEncoder();
    small(encoder);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  });
  const byDriver = await seconds(device, (encoder) => encoder.copyBufferToBuffer(x, 0, y, 0, copyBytes));
  device.destroy();
  return {
    gflops: (aluDispatches * aluFlops(gpuChains)) / alu / 1e9,
    kernelGBs: (2 * copyBytes) / inKernel / 1e9,
    copyGBs: (2 * copyBytes) / byDriver / 1e9,
    roundTripUs,
  };
}
