/** Runs a plan's stages on the device with each kernel's own default hooks, workspaces and fixed operands bound. */
import { link, packUniform } from "@jnx/kernels-wgsl";
import type { Kernel, LinkedKernel, PlanLimits, Stage } from "@jnx/kernels-wgsl";
import { executor } from "@jnx/tensor";
import type { DeviceBuffer } from "@jnx/tensor/internal";
import { detectRaces } from "wgsl_reflect";

/** WebGPU's guaranteed limits. */
export const limits: PlanLimits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
};

/** A stage, with the operands that the families' own stage types add. */
export interface TestStage extends Stage {
  readonly operands?: readonly number[];
  readonly loads?: number;
}

/** The stage's kernel under its own consts; the hooks are the kernel's defaults, which begin at the first binding. */
export function linkStage(stage: TestStage): LinkedKernel {
  const { kernel, consts, functions } = stage;
  const block = `${consts}\n${defaultHooks(kernel)}`;
  return link(kernel, { block, functions: functions ?? [] });
}

function defaultHooks(kernel: Kernel): string {
  const at = kernel.block.indexOf("@group(1)");
  if (at < 0) throw new Error(`${kernel.name}: its default block has no hooks`);
  return kernel.block.slice(at);
}

export type Words = Float32Array | Int32Array | Uint32Array;

/** The bits of the result, `elements` long. The first stage's `load` hook reads operand `loads`, 0 unless it says. */
export async function runStages(
  stages: readonly TestStage[],
  operands: readonly Words[],
  elements: number,
): Promise<Uint32Array> {
  const device = executor();
  const all: DeviceBuffer[] = [];
  const allocate = (words: number): DeviceBuffer => {
    const buffer = device.allocate(Math.max(4, words) * 4, "stages");
    all.push(buffer);
    return buffer;
  };
  const inputs = operands.map((data) => {
    const buffer = allocate(data.length);
    if (data.length > 0) device.write(buffer, data);
    return buffer;
  });
  const result = allocate(elements);
  let workspace: DeviceBuffer | undefined;
  for (const stage of stages) {
    const reads = stage.reads === "operands" ? inputs[stage.loads ?? 0] : workspace;
    const writes = stage.writes === "results" ? result : allocate(stage.workspaceElements);
    run(stage, inputs, reads, writes);
    if (stage.writes === "workspace") workspace = writes;
  }
  const bits = new Uint32Array(await device.read(result, elements * 4));
  all.forEach((buffer) => device.release(buffer));
  return bits;
}

function run(
  stage: TestStage,
  inputs: readonly DeviceBuffer[],
  reads: DeviceBuffer | undefined,
  writes: DeviceBuffer,
): void {
  const kernel = linkStage(stage);
  const fixed = [...(stage.operands ?? [])];
  const buffers = kernel.bindings
    .filter((binding) => binding.access !== "uniform")
    .map((binding) => {
      const buffer = binding.group === 0 ? inputs[fixed.shift() ?? -1] : binding.access === "read" ? reads : writes;
      if (buffer === undefined) throw new Error(`${kernel.name}: nothing to bind to ${binding.name}`);
      return buffer;
    });
  const layout = kernel.bindings.find((binding) => binding.access === "uniform")?.layout;
  if (layout === undefined) throw new Error(`${kernel.name}: no uniform`);
  executor().run({
    label: kernel.name,
    kernel,
    buffers,
    uniforms: [packUniform(layout, stage.params)],
    grid: stage.grid,
  });
}

/** Runs one workgroup of a stage under wgsl_reflect's race detector, `code` in the place of the stage's own if given. */
export function races(
  stage: TestStage,
  elements: number,
  code = linkStage(stage).code,
): ReturnType<typeof detectRaces> {
  const layout = stage.kernel.bindings.find((binding) => binding.access === "uniform")?.layout;
  if (layout === undefined) throw new Error(`${stage.kernel.name}: no uniform`);
  const arrays = (of: number): Record<string, Float32Array> =>
    Object.fromEntries(
      stage.kernel.bindings
        .filter(({ group, access }) => group === of && access !== "uniform")
        .map(({ binding }) => [`${binding}`, new Float32Array(elements)]),
    );
  const own = { 0: { uniform: packUniform(layout, stage.params) }, ...arrays(0) };
  return detectRaces(code, "main", [1, 1, 1], { 0: own, 1: arrays(1) });
}

/** Compiles every distinct text among the stages; an invalid one fails the test. Returns how many there are. */
export async function compileAll(stages: readonly TestStage[]): Promise<number> {
  const kernels = new Map(stages.map((stage) => linkStage(stage)).map((kernel) => [kernel.code, kernel]));
  await executor().warmup([...kernels.values()]);
  await executor().settled();
  return kernels.size;
}

/** Bits as floats. */
export function floats(bits: Uint32Array): Float32Array {
  return new Float32Array(bits.buffer, bits.byteOffset, bits.length);
}

export function ints(bits: Uint32Array): Int32Array {
  return new Int32Array(bits.buffer, bits.byteOffset, bits.length);
}

/** A repeatable stream of numbers in [0, 1). */
export function randoms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Where two arrays first differ, in words, or undefined; NaN equals NaN and -0 equals 0. Diffs of long arrays take minutes. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} elements instead of ${expected.length}`;
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [actual[i], expected[i]];
    if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) return `${a} instead of ${b} at ${i}`;
  }
  return undefined;
}
