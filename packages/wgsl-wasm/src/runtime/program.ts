import { KernelError } from "@jnx/tensor";
import { checkAliases, checkCounts, checkGrid, slotsOf } from "@jnx/tensor/internal";
import type { Program, ProgramStep } from "@jnx/tensor/internal";
import type { KernelEntry, Kernels } from "./kernels.ts";
import type { Command, Storage } from "./queue.ts";

interface PreparedLaunch {
  readonly kind: "launch";
  readonly label: string;
  readonly entry: KernelEntry;
  readonly slots: readonly number[];
  readonly uniforms: readonly Storage[];
  readonly grid: readonly [number, number, number];
  readonly indirect?: { readonly slot: number; readonly offset: number };
}

type PreparedStep = PreparedLaunch | Extract<ProgramStep, { kind: "copy" }>;

/** Where a program keeps its uniforms. */
export interface UniformStore {
  put(data: Uint8Array): Storage;
  free(blocks: readonly Storage[]): void;
}

/** The Program of this executor: kernels looked up, uniforms in place. */
export class WasmProgram implements Program {
  readonly steps: readonly ProgramStep[];
  readonly slots: number;
  readonly label: string;
  readonly kernels: Kernels;
  disposed = false;
  private readonly prepared: readonly PreparedStep[];
  private readonly store: UniformStore;

  constructor(
    kernels: Kernels,
    store: UniformStore,
    steps: readonly ProgramStep[],
    slots: number,
    label: string,
    largestGrid: number,
  ) {
    this.kernels = kernels;
    this.steps = steps;
    this.slots = slots;
    this.label = label;
    this.store = store;
    for (const step of steps) checkSlots(step, slots);
    this.prepared = steps.map((step) => {
      if (step.kind === "copy") return step;
      const entry = kernels.get(step.kernel);
      checkCounts(step.label, step.kernel.name, entry.layout, step.slots.length, step.uniforms);
      checkGrid(step.label, step.kernel.name, step.grid, largestGrid);
      return { ...step, entry, uniforms: step.uniforms.map((data) => store.put(data)) };
    });
  }

  /** How many of its dispatches took more than so many nanoseconds lately; 0 before the first run. */
  longerThan(nanoseconds: number): number {
    let count = 0;
    for (const step of this.prepared) {
      if (step.kind === "launch" && step.entry.perGroup * groupsOf(step.grid) > nanoseconds) count++;
    }
    return count;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.store.free(this.prepared.flatMap((step) => (step.kind === "launch" ? step.uniforms : [])));
  }

  /** Its commands on these storages, one per slot. */
  bind(storages: readonly Storage[]): Command[] {
    const commands: Command[] = [];
    for (const step of this.prepared) {
      if (step.kind === "copy") commands.push(this.copy(step, storages));
      else if (groupsOf(step.grid) > 0) commands.push(this.launch(step, storages));
    }
    return commands;
  }

  private copy({ from, to, bytes }: Extract<ProgramStep, { kind: "copy" }>, storages: readonly Storage[]): Command {
    const source = pick(storages, from);
    const target = pick(storages, to);
    if (source === target) {
      throw new KernelError(`${this.label}: a step copies a buffer onto itself`, "copy", [this.label]);
    }
    return { kind: "copy", from: source.address, to: target.address, bytes };
  }

  private launch(step: PreparedLaunch, storages: readonly Storage[]): Command {
    const own: Storage[] = [];
    for (const slot of step.slots) own.push(pick(storages, slot));
    checkAliases(step.label, step.entry.kernel.name, step.entry.layout, own);
    const { label, entry, uniforms, grid, indirect } = step;
    const command = { kind: "launch", label, program: this.label, entry, storages: own, uniforms, grid } as const;
    if (indirect === undefined) return command;
    return { ...command, gridAt: pick(storages, indirect.slot).address + indirect.offset };
  }
}

function groupsOf([x, y, z]: readonly [number, number, number]): number {
  return x * y * z;
}

function pick(storages: readonly Storage[], slot: number): Storage {
  const storage = storages[slot];
  if (storage === undefined) throw new Error(`program: no buffer for slot ${slot}; this is a defect of jnx`);
  return storage;
}

function checkSlots(step: ProgramStep, slots: number): void {
  const bad = slotsOf(step).find((slot) => !(Number.isInteger(slot) && slot >= 0 && slot < slots));
  if (bad !== undefined) throw new KernelError(`program: slot ${bad} is not one of its ${slots}`, step.kind);
}
