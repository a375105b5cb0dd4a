import type { Binding, LinkedKernel } from "@jnx/kernels-wgsl";
import { launchLayout } from "../checks.ts";
import type { LaunchLayout } from "../checks.ts";
import { VISIBLE_TO_COMPUTE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";
import type { Storage } from "./memory.ts";
import { uniformSlot } from "./uniforms.ts";
import type { UniformSource } from "./uniforms.ts";

/** One binding: where it is in its group, and which of the launch's buffers or uniforms it takes. */
interface Place {
  readonly binding: number;
  readonly uniform: boolean;
  readonly index: number;
  readonly size: number;
}

export interface GroupLayout {
  readonly index: number;
  readonly id: number;
  readonly gpu: GPUBindGroupLayout;
  readonly places: readonly Place[];
  /** Indices of its uniforms, in the order of their dynamic offsets. */
  readonly uniforms: readonly number[];
}

/** What a launch of a kernel must bind, as WebGPU wants it. */
export interface KernelLayout extends LaunchLayout {
  readonly groups: readonly GroupLayout[];
  readonly pipelineLayout: GPUPipelineLayout;
}

/** A bind group in its place, with the dynamic offsets of its uniforms. */
export interface BoundGroup {
  readonly index: number;
  readonly group: GPUBindGroup;
  readonly offsets: readonly number[];
}

/** Layouts by signature, so that kernels of the same form share bind groups. */
export class Layouts {
  private readonly gpu: Gpu;
  private readonly groups = new Map<string, { id: number; gpu: GPUBindGroupLayout }>();
  private readonly pipelines = new Map<string, GPUPipelineLayout>();

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  of(kernel: LinkedKernel): KernelLayout {
    const { storage, uniform } = launchLayout(kernel.bindings);
    const count = Math.max(0, ...kernel.bindings.map((binding) => binding.group + 1));
    const groups = Array.from({ length: count }, (_, index) => {
      const own = kernel.bindings.filter((binding) => binding.group === index);
      own.sort((a, b) => a.binding - b.binding);
      const places = own.map((binding) => ({
        binding: binding.binding,
        uniform: binding.access === "uniform",
        index: (binding.access === "uniform" ? uniform : storage).indexOf(binding),
        size: uniformSlot(binding.layout?.bytes ?? 0),
      }));
      const uniforms = places.filter((place) => place.uniform).map((place) => place.index);
      return { index, ...this.group(own), places, uniforms };
    });
    const key = groups.map((group) => group.id).join();
    let pipelineLayout = this.pipelines.get(key);
    if (pipelineLayout === undefined) {
      pipelineLayout = this.gpu.device.createPipelineLayout({ bindGroupLayouts: groups.map((group) => group.gpu) });
      this.pipelines.set(key, pipelineLayout);
    }
    return { groups, pipelineLayout, storage, uniform };
  }

  private group(bindings: readonly Binding[]): { id: number; gpu: GPUBindGroupLayout } {
    const key = bindings.map((binding) => `${binding.binding}:${binding.access}`).join();
    let layout = this.groups.get(key);
    if (layout === undefined) {
      const gpu = this.gpu.device.createBindGroupLayout({ entries: bindings.map(layoutEntry) });
      layout = { id: this.gpu.nextKey(), gpu };
      this.groups.set(key, layout);
    }
    return layout;
  }
}

function layoutEntry(binding: Binding): GPUBindGroupLayoutEntry {
  const types = { uniform: "uniform", read: "read-only-storage", read_write: "storage" } as const;
  const buffer = { type: types[binding.access], hasDynamicOffset: binding.access === "uniform" };
  return { binding: binding.binding, visibility: VISIBLE_TO_COMPUTE, buffer };
}

/**
 * Bind groups by layout and buffers. Bounded in two generations: when the young one is full it becomes the old one, and what
 * is not asked for until the next change is dropped.
 */
export class BindGroups {
  private readonly gpu: Gpu;
  private readonly capacity: number;
  private young = new Map<string, GPUBindGroup>();
  private old = new Map<string, GPUBindGroup>();

  constructor(gpu: Gpu, capacity: number) {
    this.gpu = gpu;
    this.capacity = capacity;
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  bind(
    layout: KernelLayout,
    storages: readonly Storage[],
    source: UniformSource | undefined,
    offsets: readonly number[],
  ): BoundGroup[] {
    return layout.groups.map((group) => ({
      index: group.index,
      group: this.get(group, storages, source),
      // Absent only when the launch was not checked before.
      offsets: group.uniforms.map((index) => offsets[index] ?? 0),
    }));
  }

  private get(layout: GroupLayout, storages: readonly Storage[], source: UniformSource | undefined): GPUBindGroup {
    let key = `${layout.id}`;
    for (const place of layout.places) {
      key += place.uniform ? `,${source?.key}:${place.size}` : `,${storages[place.index]?.key}`;
    }
    let group = this.young.get(key);
    if (group !== undefined) return group;
    group = this.old.get(key) ?? this.create(layout, storages, source);
    if (this.young.size >= this.capacity) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, group);
    return group;
  }

  private create(layout: GroupLayout, storages: readonly Storage[], source: UniformSource | undefined): GPUBindGroup {
    this.gpu.counters.bindGroups++;
    const entries = layout.places.map(({ binding, uniform, index, size }): GPUBindGroupEntry => {
      const buffer = uniform ? source?.gpu : storages[index]?.gpu;
      if (buffer === undefined) throw new Error(`binding ${binding}: no buffer; this is a defect of jnx`);
      return { binding, resource: uniform ? { buffer, offset: 0, size } : { buffer } };
    });
    return this.gpu.device.createBindGroup({ layout: layout.gpu, entries });
  }
}
