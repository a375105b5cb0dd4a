import type { BoundGroup } from "./bindings.ts";
import type { Gpu } from "./gpu.ts";
import type { Stretch } from "./memory.ts";
import type { Profile } from "./profile.ts";

/** Commands being encoded for one submission: one encoder, and one compute pass for as long as no copy comes between. */
export class Batch {
  /** Of each dispatch, for errors and profiles. */
  readonly labels: string[] = [];
  private readonly gpu: Gpu;
  private readonly profile: Profile | undefined;
  private readonly first: number;
  private readonly report: ReturnType<Gpu["watch"]>;
  private readonly encoder: GPUCommandEncoder;
  private pass: GPUComputePassEncoder | undefined;
  private pipeline: GPUComputePipeline | undefined;
  /** What is bound in the pass. A pipeline of another layout finds there what it asks for, or sets its own. */
  private groups: (BoundGroup | undefined)[] = [];

  /** `first` is the number of its first command. */
  constructor(gpu: Gpu, profile: Profile | undefined, first: number) {
    this.gpu = gpu;
    this.profile = profile;
    this.first = first;
    this.report = gpu.watch();
    this.encoder = gpu.device.createCommandEncoder();
  }

  dispatch(
    label: string,
    pipeline: GPUComputePipeline,
    groups: readonly BoundGroup[],
    immediates: Uint32Array<ArrayBuffer> | undefined,
    grid: readonly [number, number, number] | { readonly buffer: GPUBuffer; readonly offset: number },
  ): void {
    // A pass of its own is the only place where WebGPU tells the time.
    if (this.profile !== undefined) this.endPass();
    const pass = this.pass ?? this.beginPass();
    if (this.pipeline !== pipeline) {
      pass.setPipeline(pipeline);
      this.pipeline = pipeline;
    }
    for (let k = 0; k < groups.length; k++) {
      const bound = groups[k];
      if (bound === undefined) continue;
      const { index, group, offsets } = bound;
      const set = this.groups[index];
      if (set?.group === group && sameOffsets(set.offsets, offsets)) continue;
      if (offsets.length === 0) pass.setBindGroup(index, group);
      else pass.setBindGroup(index, group, offsets);
      this.groups[index] = bound;
    }
    if (immediates !== undefined) pass.setImmediates(0, immediates);
    if ("buffer" in grid) pass.dispatchWorkgroupsIndirect(grid.buffer, grid.offset);
    else pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    this.gpu.counters.dispatches++;
    this.labels.push(label);
  }

  copy(from: Stretch, fromOffset: number, to: Stretch, bytes: number, toOffset = 0): void {
    this.endPass();
    this.encoder.copyBufferToBuffer(from.gpu, from.offset + fromOffset, to.gpu, to.offset + toOffset, bytes);
  }

  submit(): void {
    this.endPass();
    const printed = this.profile?.finish(this.encoder, this.labels);
    this.gpu.counters.submits++;
    this.gpu.device.queue.submit([this.encoder.finish()]);
    this.report((error) => this.gpu.failures.record(this.gpu.describe(error, this.labels), this.first));
    printed?.();
  }

  private beginPass(): GPUComputePassEncoder {
    const timestampWrites = this.profile?.next();
    this.gpu.counters.passes++;
    this.pass = this.encoder.beginComputePass(timestampWrites === undefined ? {} : { timestampWrites });
    return this.pass;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
    this.pipeline = undefined;
    this.groups = [];
  }
}

function sameOffsets(a: readonly number[], b: readonly number[]): boolean {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
