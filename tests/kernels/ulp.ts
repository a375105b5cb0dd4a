/** Distances between floats in units in the last place, on bit patterns. */
import { expect } from "vitest";

const SMALLEST_NORMAL = 0x00800000;

/** Where the float with these bits stands on the line of all floats; -0 and 0 stand together. */
function position(bits: number): number {
  return bits >= 0x80000000 ? 0x80000000 - bits : bits;
}

function isNaNBits(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000;
}

/** Subnormals count as zero: devices, and XLA, may flush them. */
export function isSubnormal(bits: number): boolean {
  return (bits & 0x7fffffff) < SMALLEST_NORMAL && (bits & 0x7fffffff) !== 0;
}

/** 0 for two NaNs, Infinity for one, and for an infinity against a number far from it. */
export function ulpDistance(a: number, b: number): number {
  if (isNaNBits(a) || isNaNBits(b)) return isNaNBits(a) && isNaNBits(b) ? 0 : Infinity;
  const p = Math.abs(position(a)) < SMALLEST_NORMAL ? 0 : position(a);
  const q = Math.abs(position(b)) < SMALLEST_NORMAL ? 0 : position(b);
  if (p !== q && (p === 0 || q === 0)) return Math.abs(p - q) - SMALLEST_NORMAL + 1;
  return Math.abs(p - q);
}

export function bitsOf(values: ArrayLike<number>): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

export function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN;
}

export interface Compared {
  readonly worst: number;
  /** "f(x) = got, want" of the worst element. */
  readonly where: string;
}

/** The largest distance; elements whose inputs `skip` names are left out. */
export function worstUlp(
  got: Uint32Array,
  want: Uint32Array,
  inputs: readonly Uint32Array[],
  skip: (element: readonly number[]) => boolean = () => false,
): Compared {
  expect(got.length).toBe(want.length);
  let worst = 0;
  let where = "";
  got.forEach((g, i) => {
    const element = inputs.map((input) => input[i] ?? 0);
    const w = want[i] ?? 0;
    const distance = ulpDistance(g, w);
    if (distance <= worst || skip(element)) return;
    worst = distance;
    where = `f(${element.map(floatOf).join(", ")}) = ${floatOf(g)}, want ${floatOf(w)}`;
  });
  return { worst, where };
}
