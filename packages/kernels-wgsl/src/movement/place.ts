import { boxOf } from "./box.ts";
import { place } from "./place.wgsl.gen.ts";
import { wgslType, type ScalarDType } from "./scalar.ts";
import type { PlanLimits, Stage } from "../stage.ts";

/** One operand of a concatenation: `[rows, length]`, which goes to `[rows, pitch]` from column `offset` on. */
export interface PlaceSpec {
  readonly dtype: ScalarDType;
  readonly rows: number;
  readonly length: number;
  readonly offset: number;
  readonly pitch: number;
  /** The hooks may be vec4; the plan still asks for scalars where rows do not divide by four. */
  readonly vector: boolean;
}

/**
 * The dispatch that puts one row-major operand into its part of a result. Empty operands need none.
 *
 * @example
 * // the second of two [3, 4] arrays side by side
 * planPlace({ dtype: "float32", rows: 3, length: 4, offset: 4, pitch: 8, vector: true }, limits).length; // 1
 */
export function planPlace(spec: PlaceSpec, limits: PlanLimits): readonly Stage[] {
  const { rows, length, offset, pitch } = spec;
  if (rows * length === 0) return [];
  const width = spec.vector && [length, offset, pitch].every((n) => n % 4 === 0) ? 4 : 1;
  // A single row goes along y, which has no limit; its lanes still take neighbours.
  const [nx, ny, step] = rows === 1 ? [1, length / width, 1] : [length / width, rows, pitch / width];
  const { grid, params } = boxOf("concatenate", nx, ny, 1, limits);
  return [
    {
      kernel: place,
      consts: `alias V = ${wgslType(spec.dtype, width)};`,
      params: { nx, ny, offset: offset / width, pitch: step, ...params },
      grid,
      loadWidth: width,
      storeWidth: width,
      reads: "operands",
      writes: "results",
      workspaceElements: 0,
    },
  ];
}
