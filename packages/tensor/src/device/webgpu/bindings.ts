import type { Binding, LinkedKernel } from "@jnx/kernels-wgsl";
import { launchLayout } from "../checks.ts";
import type { LaunchLayout } from "../checks.ts";
import { VISIBLE_TO_COMPUTE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";
import { withImmediates } from "./immediates.ts";
import type { Immediates } from "./immediates.ts";
import type { Storage } from "./memory.ts";
import { uniformSlot } from "./uniforms.ts";
import type { UniformSource } from "./uniforms.ts";

/** One binding: where it is in its group, and which of the launch's buffers or uniforms it takes. */
interface Place {
  readonly binding: number;
  readonly uniform: boolean;
  readonly index: number;
  readonly size: number;
  /** Where a storage begins: in the group, given when the group is set, or in immediates. With the latter two, parts of a buffer share a group. */
  readonly offset: "fixed" | "dynamic" | "immediate";
}

export interface GroupLayout {
  readonly index: number;
  readonly id: number;
  /** The layout with the sizes of its uniforms: kernels that share both share bind groups. */
  readonly name: string;
  readonly gpu: GPUBindGroupLayout;
  readonly places: readonly Place[];
  /** Whether it is set with offsets. */
  readonly dynamic: boolean;
}

/** What a launch of a kernel must bind, as WebGPU wants it. */
export interface KernelLayout extends LaunchLayout {
  readonly groups: readonly GroupLayout[];
  readonly pipelineLayout: GPUPipelineLayout;
  /** Undefined where uniforms are bound. */
  readonly immediates: Immediates | undefined;
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
    const { limits } = this.gpu.device;
    const immediates = withImmediates(kernel, { storage, uniform }, this.gpu.immediateBytes);
    // Kernels of many operands bind their buffers at fixed offsets: devices take few that are not.
    const dynamic = storage.length <= limits.maxDynamicStorageBuffersPerPipelineLayout ? "dynamic" : "fixed";
    const offset: Place["offset"] = immediates === undefined ? dynamic : "immediate";
    const bound = immediates === undefined ? kernel.bindings : storage;
    const count = Math.max(0, ...bound.map((binding) => binding.group + 1));
    const groups = Array.from({ length: count }, (_, index) => {
      const own = bound.filter((binding) => binding.group === index);
      own.sort((a, b) => a.binding - b.binding);
      const places = own.map((binding): Place => ({
        binding: binding.binding,
        uniform: binding.access === "uniform",
        index: (binding.access === "uniform" ? uniform : storage).indexOf(binding),
        size: uniformSlot(binding.layout?.bytes ?? 0),
        offset: binding.access === "uniform" ? "dynamic" : offset,
      }));
      const layout = this.group(own, offset);
      const name = `${layout.id}:${places.map(({ size }) => size).join()}`;
      return { index, ...layout, name, places, dynamic: places.some((place) => place.offset === "dynamic") };
    });
    return {
      groups: groups.filter(({ places }) => places.length > 0),
      pipelineLayout: this.pipeline(groups, immediates?.words ?? 0),
      immediates,
      storage,
      uniform,
    };
  }

  private pipeline(groups: readonly GroupLayout[], words: number): GPUPipelineLayout {
    const key = `${groups.map((group) => group.id).join()} ${words}`;
    let layout = this.pipelines.get(key);
    if (layout === undefined) {
      const bindGroupLayouts = groups.map((group) => group.gpu);
      const immediateSize = words === 0 ? {} : { immediateSize: 4 * words };
      layout = this.gpu.device.createPipelineLayout({ bindGroupLayouts, ...immediateSize });
      this.pipelines.set(key, layout);
    }
    return layout;
  }

  private group(bindings: readonly Binding[], offset: Place["offset"]): { id: number; gpu: GPUBindGroupLayout } {
    const key = `${offset} ${bindings.map((binding) => `${binding.binding}:${binding.access}`).join()}`;
    let layout = this.groups.get(key);
    if (layout === undefined) {
      const entries = bindings.map((binding) => layoutEntry(binding, offset));
      const gpu = this.gpu.device.createBindGroupLayout({ entries });
      layout = { id: this.gpu.nextKey(), gpu };
      this.groups.set(key, layout);
    }
    return layout;
  }
}

function layoutEntry({ binding, access }: Binding, offset: Place["offset"]): GPUBindGroupLayoutEntry {
  const types = { uniform: "uniform", read: "read-only-storage", read_write: "storage" } as const;
  const buffer = { type: types[access], hasDynamicOffset: offset === "dynamic" || access === "uniform" };
  return { binding, visibility: VISIBLE_TO_COMPUTE, buffer };
}

/** A bind group with what it binds: by numbers, one for each place. */
interface Bound extends BoundGroup {
  readonly keys: readonly number[];
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
    { groups }: KernelLayout,
    storages: readonly Storage[],
    source: UniformSource | undefined,
    offsets: readonly number[],
  ): BoundGroup[] {
    const bound: BoundGroup[] = [];
    for (let k = 0; k < groups.length; k++) {
      const layout = groups[k];
      if (layout === undefined) continue;
      const known = this.get(layout, storages, source);
      const { index, group } = known;
      bound.push(layout.dynamic ? { index, group, offsets: dynamicOffsets(layout, storages, offsets) } : known);
    }
    return bound;
  }

  private get(layout: GroupLayout, storages: readonly Storage[], source: UniformSource | undefined): Bound {
    let recent = this.recent.get(layout);
    if (recent === undefined) this.recent.set(layout, (recent = []));
    for (let k = 0; k < recent.length; k++) {
      const bound = recent[k];
      if (bound !== undefined && binds(layout, bound.keys, storages, source)) return bound;
    }
    const keys: number[] = [];
    for (const place of layout.places) keys.push(keyAt(place, storages, source));
    const group = this.find(layout, `${layout.name},${keys.join()}`, storages, source);
    if (recent.length >= RECENT) recent.shift();
    const bound = { index: layout.index, group, offsets: [], keys };
    recent.push(bound);
    return bound;
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
    const entries = layout.places.map(({ binding, uniform, index, size, offset }): GPUBindGroupEntry => {
      if (uniform) return { binding, resource: { buffer: present(source?.gpu, binding), offset: 0, size } };
      const storage = present(storages[index], binding);
      if (offset === "immediate") return { binding, resource: { buffer: storage.gpu } };
      const first = offset === "dynamic" ? 0 : storage.offset;
      return { binding, resource: { buffer: storage.gpu, offset: first, size: storage.bytes } };
    });
    return this.gpu.device.createBindGroup({ layout: layout.gpu, entries });
  }
}

/** What tells a binding from others: of what is bound at an offset of its own the buffer, all parts of which have one size. */
function keyAt(place: Place, storages: readonly Storage[], source: UniformSource | undefined): number {
  if (place.uniform) return source?.key ?? 0;
  const storage = storages[place.index];
  return (place.offset === "fixed" ? storage?.key : storage?.gpuKey) ?? 0;
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
  for (const { offset, uniform, index } of places) {
    // Absent only when the launch was not checked before.
    if (offset === "dynamic") offsets.push((uniform ? uniforms[index] : storages[index]?.offset) ?? 0);
  }
  return offsets;
}

function present<T>(value: T | undefined, binding: number): T {
  if (value === undefined) throw new Error(`binding ${binding}: no buffer; this is a defect of jnx`);
  return value;
}
