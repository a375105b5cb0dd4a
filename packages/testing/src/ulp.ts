import type { DType } from "@jnx/tensor";
import type { HostArray } from "./reference.ts";

/** How far a float may be from the oracle: within so many units in the last place, or within an absolute distance. */
export interface Tolerance {
  readonly ulp: number;
  readonly abs?: number;
  /** Relative to the oracle's value. */
  readonly rel?: number;
}

const SMALLEST_NORMAL = 2 ** -126;
const word = new DataView(new ArrayBuffer(4));

/** Where a float stands on the line of all floats; subnormals stand at 0, where devices may put them. */
function position(x: number): number {
  if (Math.abs(x) < SMALLEST_NORMAL) return 0;
  word.setFloat32(0, x);
  const bits = word.getUint32(0);
  const magnitude = (bits & 0x7fffffff) - 0x007fffff;
  return bits >>> 31 ? -magnitude : magnitude;
}

/** Floats between two floats: 0 for two NaNs, Infinity for one. */
export function ulps(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  return Math.abs(position(Math.fround(a)) - position(Math.fround(b)));
}

function isClose(got: number, want: number, dtype: DType, { ulp, abs = 0, rel = 0 }: Tolerance): boolean {
  if (dtype !== "float32") return got === want;
  return ulps(got, want) <= ulp || Math.abs(got - want) <= abs + rel * Math.abs(want);
}

/** The elements that miss: "[1, 2]: got 3, want 4 (7 ulp)". */
export function misses(got: ArrayLike<number>, want: HostArray, dtype: DType, tolerance: Tolerance): string[] {
  return want.data.flatMap((wanted, flat) => {
    const found = got[flat] ?? NaN;
    if (isClose(found, wanted, dtype, tolerance)) return [];
    return [
      `element ${flat} of [${want.shape.join(", ")}]: got ${found}, want ${Math.fround(wanted)} (${ulps(found, wanted)} ulp)`,
    ];
  });
}

/** The largest distance of a float from the oracle, in units in the last place; 0 for other dtypes. */
export function worstUlp(got: ArrayLike<number>, want: HostArray, dtype: DType): number {
  if (dtype !== "float32") return 0;
  return want.data.reduce((worst, wanted, flat) => Math.max(worst, ulps(got[flat] ?? NaN, wanted)), 0);
}
