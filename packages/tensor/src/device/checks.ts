/** What every executor checks at the call, before anything is queued. */
import type { Binding } from "@jnx/kernels-wgsl";
import { DeviceError, KernelError } from "../errors.ts";
import type { ProgramStep } from "./executor.ts";

/** What a launch of a kernel must bind. */
export interface LaunchLayout {
  readonly storage: readonly Binding[];
  readonly uniform: readonly Binding[];
}

/** The bindings of a kernel, by what a launch brings for them. */
export function launchLayout(bindings: readonly Binding[]): LaunchLayout {
  return {
    storage: bindings.filter((binding) => binding.access !== "uniform"),
    uniform: bindings.filter((binding) => binding.access === "uniform"),
  };
}

/** The slots that a step of a program uses. */
export function slotsOf(step: ProgramStep): readonly number[] {
  if (step.kind === "copy") return [step.from, step.to];
  return step.indirect === undefined ? step.slots : [...step.slots, step.indirect.slot];
}

/** Throws unless a launch brings one buffer per storage binding and one large enough uniform per uniform binding. */
export function checkCounts(
  label: string,
  kernel: string,
  layout: LaunchLayout,
  buffers: number,
  uniforms: readonly Uint8Array[],
): void {
  if (buffers !== layout.storage.length || uniforms.length !== layout.uniform.length) {
    const names = layout.storage.map((binding) => binding.name).join(", ");
    throw new KernelError(
      `${label}: kernel ${kernel} binds ${layout.storage.length} buffers (${names}) and ${layout.uniform.length} uniforms, got ${buffers} and ${uniforms.length}`,
      kernel,
      [label],
    );
  }
  for (const [i, binding] of layout.uniform.entries()) {
    const bytes = binding.layout?.bytes ?? 0;
    const got = uniforms[i]?.byteLength ?? 0;
    if (got < bytes) {
      throw new KernelError(
        `${label}: uniform ${binding.name} of kernel ${kernel} has ${bytes} bytes, got ${got}`,
        kernel,
        [label],
      );
    }
  }
}

/** Throws unless the grid is of whole numbers within the device's limit. */
export function checkGrid(label: string, kernel: string, grid: readonly number[], limit: number): void {
  for (const size of grid) {
    if (Number.isInteger(size) && size >= 0 && size <= limit) continue;
    throw new KernelError(
      `${label}: kernel ${kernel} is launched on a grid of ${grid.join(" x ")}, but a dimension takes 0 to ${limit} workgroups; fold it with foldGrid`,
      kernel,
      [label],
    );
  }
}

/** Throws when one buffer is bound twice and written: WebGPU forbids it, and the results would depend on timing. */
export function checkAliases(label: string, kernel: string, layout: LaunchLayout, storages: readonly object[]): void {
  const { storage } = layout;
  for (let i = 0; i < storage.length; i++) {
    const written = storage[i];
    if (written?.access !== "read_write") continue;
    for (let j = 0; j < storage.length; j++) {
      const other = storage[j];
      if (i === j || other === undefined || storages[i] !== storages[j]) continue;
      throw new KernelError(
        `${label}: kernel ${kernel} would write ${written.name} while the same buffer is bound as ${other.name}; give it a buffer of its own, or copy first`,
        kernel,
        [label],
      );
    }
  }
}

/** Throws unless the range lies inside a buffer of `capacity` bytes and starts at a word. */
export function checkRange(op: string, label: string, offset: number, bytes: number, capacity: number): void {
  if (offset % 4 === 0 && offset >= 0 && bytes >= 0 && offset + bytes <= capacity) return;
  throw new DeviceError(
    `${op}: ${label}: bytes ${offset} to ${offset + bytes} of a buffer of ${capacity}; the range must lie inside and start at a multiple of 4`,
    [label],
  );
}
