import { KernelError } from "../../errors.ts";
import { checkAliases, checkCounts, checkGrid, slotsOf } from "../checks.ts";
import type { Program, ProgramStep } from "../executor.ts";
import { BindGroups } from "./bindings.ts";
import type { BoundGroup } from "./bindings.ts";
import { USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";
import { uniformWords, withPlaces } from "./immediates.ts";
import type { Storage } from "./memory.ts";
import type { PipelineEntry, Pipelines } from "./pipelines.ts";
import { uniformSlot } from "./uniforms.ts";
import type { UniformSource } from "./uniforms.ts";

/** Sets of buffers whose bind groups a program keeps: steps that swap two sets of state use two, some headroom is cheap. */
const SETS_KEPT = 4;

interface PreparedLaunch {
  readonly kind: "launch";
  readonly label: string;
  readonly entry: PipelineEntry;
  readonly slots: readonly number[];
  readonly offsets: readonly number[];
  /** Its uniforms, if the kernel takes them as immediates. */
  readonly words: Uint32Array<ArrayBuffer> | undefined;
  readonly grid: readonly [number, number, number];
  readonly indirect: { readonly slot: number; readonly offset: number } | undefined;
}

type PreparedStep = PreparedLaunch | Extract<ProgramStep, { kind: "copy" }>;

/** What one replay encodes. */
export type BoundStep =
  | {
      readonly kind: "launch";
      readonly label: string;
      readonly entry: PipelineEntry;
      readonly groups: readonly BoundGroup[];
      readonly immediates: Uint32Array<ArrayBuffer> | undefined;
      readonly grid: readonly [number, number, number];
      readonly indirect: { readonly buffer: GPUBuffer; readonly offset: number } | undefined;
    }
  | { readonly kind: "copy"; readonly from: Storage; readonly to: Storage; readonly bytes: number };

interface BoundSet {
  readonly storages: readonly Storage[];
  readonly steps: readonly BoundStep[];
}

/** The Program of this executor: pipelines asked for, uniforms uploaded, bind groups kept per set of buffers. */
export class GpuProgram implements Program {
  readonly steps: readonly ProgramStep[];
  readonly slots: number;
  readonly label: string;
  readonly entries: readonly PipelineEntry[];
  readonly owner: Gpu;
  readonly dispatches: number;
  disposed = false;
  private allCompiled = false;
  /** The last queued replay. */
  lastUse = 0;
  /** Slots that a step writes, copies or takes its grid from. WebGPU wants these apart from what is read. */
  readonly apart: readonly number[];
  private readonly prepared: readonly PreparedStep[];
  /** The slots of each step. */
  private readonly used: readonly (readonly number[])[];
  private readonly bindGroups: BindGroups;
  private readonly source: UniformSource | undefined;
  private readonly retire: (buffer: GPUBuffer, lastUse: number) => void;
  private sets: BoundSet[] = [];

  constructor(
    gpu: Gpu,
    pipelines: Pipelines,
    steps: readonly ProgramStep[],
    slots: number,
    label: string,
    retire: (buffer: GPUBuffer, lastUse: number) => void,
  ) {
    this.owner = gpu;
    this.steps = steps;
    this.slots = slots;
    this.label = label;
    this.retire = retire;
    const uniforms: Uint8Array[] = [];
    this.prepared = steps.map((step) => prepare(step, slots, gpu, pipelines, uniforms));
    const launches = this.prepared.filter((step) => step.kind === "launch");
    this.used = steps.map(slotsOf);
    this.apart = writtenSlots(this.prepared);
    this.entries = [...new Set(launches.map((step) => step.entry))];
    this.dispatches = launches.length;
    this.source = uploadAll(gpu, uniforms, label);
    this.bindGroups = new BindGroups(gpu, Math.max(16, 2 * SETS_KEPT * launches.length));
  }

  /** Whether all pipelines are there. */
  get compiled(): boolean {
    return (this.allCompiled ||= this.entries.every(({ pipeline }) => pipeline !== undefined));
  }

  /** The first pipeline that does not compile. */
  get broken(): PipelineEntry | undefined {
    return this.compiled ? undefined : this.entries.find(({ failure }) => failure !== undefined);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.sets = [];
    this.bindGroups.clear();
    if (this.source !== undefined) this.retire(this.source.gpu, this.lastUse);
  }

  /** The steps on these storages, one per slot; bound before or now. */
  bind(storages: readonly Storage[]): readonly BoundStep[] {
    for (let k = 0; k < this.sets.length; k++) {
      const set = this.sets[k];
      if (set === undefined || !sameList(set.storages, storages)) continue;
      if (k > 0) this.sets.unshift(...this.sets.splice(k, 1));
      return set.steps;
    }
    const steps = this.bindSteps(storages);
    this.sets.unshift({ storages, steps });
    if (this.sets.length > SETS_KEPT) this.sets.pop();
    return steps;
  }

  /** Steps none of whose buffers changed stay as they are: often it is one result that nobody gave back. */
  private bindSteps(storages: readonly Storage[]): readonly BoundStep[] {
    const steps: BoundStep[] = [];
    for (let k = 0; k < this.prepared.length; k++) {
      const step = this.prepared[k];
      if (step !== undefined) steps.push(this.boundBefore(k, storages) ?? this.bindStep(step, storages));
    }
    return steps;
  }

  private boundBefore(k: number, storages: readonly Storage[]): BoundStep | undefined {
    const used = this.used[k] ?? [];
    for (let s = 0; s < this.sets.length; s++) {
      const set = this.sets[s];
      if (set !== undefined && sameAt(used, set.storages, storages)) return set.steps[k];
    }
    return undefined;
  }

  private bindStep(step: PreparedStep, storages: readonly Storage[]): BoundStep {
    if (step.kind === "copy") {
      const from = pick(storages, step.from);
      const to = pick(storages, step.to);
      if (from === to) throw new KernelError(`${this.label}: a step copies a buffer onto itself`, "copy", [this.label]);
      return { kind: "copy", from, to, bytes: step.bytes };
    }
    const { label, entry, grid, indirect } = step;
    const { immediates } = entry.layout;
    const own: Storage[] = [];
    for (const slot of step.slots) own.push(pick(storages, slot));
    checkAliases(label, entry.kernel.name, entry.layout, own);
    return {
      kind: "launch",
      label,
      entry,
      grid,
      indirect: indirect && placed(pick(storages, indirect.slot), indirect.offset),
      groups: this.bindGroups.bind(entry.layout, own, this.source, step.offsets),
      // A copy: replays before this one may wait to be encoded.
      immediates: immediates && step.words && withPlaces(immediates, step.words.slice(), own),
    };
  }
}

function sameList(a: readonly Storage[], b: readonly Storage[]): boolean {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

function sameAt(slots: readonly number[], a: readonly Storage[], b: readonly Storage[]): boolean {
  for (let k = 0; k < slots.length; k++) {
    const slot = slots[k];
    if (slot !== undefined && a[slot] !== b[slot]) return false;
  }
  return true;
}

function placed({ gpu, offset }: Storage, within: number): { readonly buffer: GPUBuffer; readonly offset: number } {
  return { buffer: gpu, offset: offset + within };
}

function pick(storages: readonly Storage[], slot: number): Storage {
  const storage = storages[slot];
  if (storage === undefined) throw new Error(`program: no buffer for slot ${slot}; this is a defect of jnx`);
  return storage;
}

function writtenSlots(steps: readonly PreparedStep[]): number[] {
  const apart = new Set<number>();
  for (const step of steps) {
    if (step.kind === "copy") apart.add(step.from).add(step.to);
    else {
      step.entry.layout.storage.forEach(({ access }, k) => {
        if (access === "read_write") apart.add(step.slots[k] ?? 0);
      });
      if (step.indirect !== undefined) apart.add(step.indirect.slot);
    }
  }
  return [...apart];
}

function prepare(
  step: ProgramStep,
  slots: number,
  gpu: Gpu,
  pipelines: Pipelines,
  uniforms: Uint8Array[],
): PreparedStep {
  const used = slotsOf(step);
  const bad = used.find((slot) => !(Number.isInteger(slot) && slot >= 0 && slot < slots));
  if (bad !== undefined) throw new KernelError(`program: slot ${bad} is not one of its ${slots}`, step.kind);
  if (step.kind === "copy") return step;
  const entry = pipelines.get(step.kernel);
  checkCounts(step.label, step.kernel.name, entry.layout, step.slots.length, step.uniforms);
  checkGrid(step.label, step.kernel.name, step.grid, gpu.device.limits.maxComputeWorkgroupsPerDimension);
  let end = uniforms.reduce((sum, data) => sum + uniformSlot(data.byteLength), 0);
  const { immediates } = entry.layout;
  const words = immediates && uniformWords(immediates, step.uniforms);
  const bound = immediates === undefined ? step.uniforms : [];
  const offsets = bound.map((data) => {
    const offset = end;
    uniforms.push(data);
    end += uniformSlot(data.byteLength);
    return offset;
  });
  const { label, grid, indirect } = step;
  return { kind: "launch", label, entry, slots: step.slots, offsets, words, grid, indirect };
}

function uploadAll(gpu: Gpu, uniforms: readonly Uint8Array[], label: string): UniformSource | undefined {
  const bytes = uniforms.reduce((sum, data) => sum + uniformSlot(data.byteLength), 0);
  if (bytes === 0) return undefined;
  const host = new Uint8Array(bytes);
  let offset = 0;
  for (const data of uniforms) {
    host.set(data, offset);
    offset += uniformSlot(data.byteLength);
  }
  const buffer = gpu.buffer(bytes, USAGE.uniform | USAGE.copyDst, `${label} uniforms`);
  gpu.upload(buffer, 0, host);
  return { key: gpu.nextKey(), gpu: buffer };
}
