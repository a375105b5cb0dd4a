import type { BoundGroup } from "./bindings.ts";
import type { Gpu } from "./gpu.ts";
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
    grid: readonly [number, number, number] | { readonly buffer: GPUBuffer; readonly offset: number },
  ): void {
    // A pass of its own is the only place where WebGPU tells the time.
    if (this.profile !== undefined) this.endPass();
    const pass = this.pass ?? this.beginPass();
    if (this.pipeline !== pipeline) {
      pass.setPipeline(pipeline);
      this.pipeline = pipeline;
    }
    for (const { index, group, offsets } of groups) pass.setBindGroup(index, group, offsets);
    if ("buffer" in grid) pass.dispatchWorkgroupsIndirect(grid.buffer, grid.offset);
    else pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    this.gpu.counters.dispatches++;
    this.labels.push(label);
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, bytes: number, toOffset = 0): void {
    this.endPass();
    this.encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
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
  }
}
