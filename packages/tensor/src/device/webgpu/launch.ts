import { KernelError } from "../../errors.ts";
import type { KernelLayout } from "./bindings.ts";

/** Throws unless a launch brings one buffer per storage binding and one large enough uniform per uniform binding. */
export function checkCounts(
  label: string,
  kernel: string,
  layout: KernelLayout,
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
