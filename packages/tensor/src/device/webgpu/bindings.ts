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
  /** True if the offset is given when the group is set, so that parts of one buffer share a group. */
  readonly dynamic: boolean;
}

export interface GroupLayout {
  readonly index: number;
  readonly id: number;
  /** The layout with the sizes of its uniforms: kernels that share both share bind groups. */
  readonly name: string;
  readonly gpu: GPUBindGroupLayout;
  readonly places: readonly Place[];
}

/** What a launch of a kernel must bind, as WebGPU wants it. */
export interface KernelLayout extends LaunchLayout {
  readonly groups: readonly GroupLayout[];
  readonly pipelineLayout: GPUPipelineLayout;
}

/** A bind group in its place, with its dynamic offsets. */
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
    // Kernels of many operands bind their buffers at fixed offsets: devices take few that are not.
    const dynamic = storage.length <= this.gpu.device.limits.maxDynamicStorageBuffersPerPipelineLayout;
    const count = Math.max(0, ...kernel.bindings.map((binding) => binding.group + 1));
    const groups = Array.from({ length: count }, (_, index) => {
      const own = kernel.bindings.filter((binding) => binding.group === index);
      own.sort((a, b) => a.binding - b.binding);
      const places = own.map((binding) => ({
        binding: binding.binding,
        uniform: binding.access === "uniform",
        index: (binding.access === "uniform" ? uniform : storage).indexOf(binding),
        size: uniformSlot(binding.layout?.bytes ?? 0),
        dynamic: dynamic || binding.access === "uniform",
      }));
      const layout = this.group(own, dynamic);
      return { index, ...layout, name: `${layout.id}:${places.map(({ size }) => size).join()}`, places };
    });
    const key = groups.map((group) => group.id).join();
    let pipelineLayout = this.pipelines.get(key);
    if (pipelineLayout === undefined) {
      pipelineLayout = this.gpu.device.createPipelineLayout({ bindGroupLayouts: groups.map((group) => group.gpu) });
      this.pipelines.set(key, pipelineLayout);
    }
    return { groups, pipelineLayout, storage, uniform };
  }

  private group(bindings: readonly Binding[], dynamic: boolean): { id: number; gpu: GPUBindGroupLayout } {
    const key = `${dynamic} ${bindings.map((binding) => `${binding.binding}:${binding.access}`).join()}`;
    let layout = this.groups.get(key);
    if (layout === undefined) {
      const entries = bindings.map((binding) => layoutEntry(binding, dynamic));
      const gpu = this.gpu.device.createBindGroupLayout({ entries });
      layout = { id: this.gpu.nextKey(), gpu };
      this.groups.set(key, layout);
    }
    return layout;
  }
}

function layoutEntry(binding: Binding, dynamic: boolean): GPUBindGroupLayoutEntry {
  const types = { uniform: "uniform", read: "read-only-storage", read_write: "storage" } as const;
  const buffer = { type: types[binding.access], hasDynamicOffset: dynamic || binding.access === "uniform" };
  return { binding: binding.binding, visibility: VISIBLE_TO_COMPUTE, buffer };
}

/** A bind group with what it binds: by numbers, one for each place. */
interface Bound {
  readonly keys: readonly number[];
  readonly group: GPUBindGroup;
}

/** Groups of a layout looked at before any other: a loop of ops comes back to the same few. */
const RECENT = 4;

/**
 * Bind groups by layout and buffers. Bounded in two generations: when the young one is full it becomes the old one, and what
 * is not asked for until the next change is dropped.
 */
export class BindGroups {
  private readonly gpu: Gpu;
  private readonly capacity: number;
  private young = new Map<string, GPUBindGroup>();
  private old = new Map<string, GPUBindGroup>();
  private recent = new WeakMap<GroupLayout, Bound[]>();

  constructor(gpu: Gpu, capacity: number) {
    this.gpu = gpu;
    this.capacity = capacity;
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
    this.recent = new WeakMap();
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
      offsets: dynamicOffsets(group, storages, offsets),
    }));
  }

  private get(layout: GroupLayout, storages: readonly Storage[], source: UniformSource | undefined): GPUBindGroup {
    let recent = this.recent.get(layout);
    if (recent === undefined) this.recent.set(layout, (recent = []));
    for (const { keys, group } of recent) if (binds(layout, keys, storages, source)) return group;
    const keys = layout.places.map((place) => keyAt(place, storages, source));
    const group = this.find(layout, `${layout.name},${keys.join()}`, storages, source);
    if (recent.length >= RECENT) recent.shift();
    recent.push({ keys, group });
    return group;
  }

  private find(
    layout: GroupLayout,
    key: string,
    storages: readonly Storage[],
    source: UniformSource | undefined,
  ): GPUBindGroup {
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
    const entries = layout.places.map(({ binding, uniform, index, size, dynamic }): GPUBindGroupEntry => {
      if (uniform) return { binding, resource: { buffer: present(source?.gpu, binding), offset: 0, size } };
      const { gpu, offset, bytes } = present(storages[index], binding);
      return { binding, resource: { buffer: gpu, offset: dynamic ? 0 : offset, size: bytes } };
    });
    return this.gpu.device.createBindGroup({ layout: layout.gpu, entries });
  }
}

/** What tells a binding from others: of what is bound at an offset of its own the buffer, all parts of which have one size. */
function keyAt(place: Place, storages: readonly Storage[], source: UniformSource | undefined): number {
  if (place.uniform) return source?.key ?? 0;
  const storage = storages[place.index];
  return (place.dynamic ? storage?.gpuKey : storage?.key) ?? 0;
}

/** Whether a group with these keys is the one that binds these buffers. */
function binds(
  layout: GroupLayout,
  keys: readonly number[],
  storages: readonly Storage[],
  source: UniformSource | undefined,
): boolean {
  const { places } = layout;
  for (let k = 0; k < places.length; k++) {
    const place = places[k];
    if (place === undefined || keyAt(place, storages, source) !== keys[k]) return false;
  }
  return true;
}

function dynamicOffsets(
  { places }: GroupLayout,
  storages: readonly Storage[],
  uniforms: readonly number[],
): readonly number[] {
  const offsets: number[] = [];
  for (const { dynamic, uniform, index } of places) {
    // Absent only when the launch was not checked before.
    if (dynamic) offsets.push((uniform ? uniforms[index] : storages[index]?.offset) ?? 0);
  }
  return offsets;
}

function present<T>(value: T | undefined, binding: number): T {
  if (value === undefined) throw new Error(`binding ${binding}: no buffer; this is a defect of jnx`);
  return value;
}
