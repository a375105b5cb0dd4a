import type { Tensor } from "@jnx/tensor";

/** A result and what it must be, in float64. */
export interface Expected {
  readonly got: Tensor;
  readonly want: ArrayLike<number>;
  /** The size of the terms that cancelled: distances are told in units in the last place of no less than this. */
  readonly terms?: number;
}

/** One thing that a device must get right. */
export interface KnownAnswer {
  readonly name: string;
  /** Units in the last place that a float may be off. */
  readonly within: number;
  /** Queues the work; nothing is awaited, so that the kernels of all checks compile together. */
  run(): readonly Expected[];
}

const MANTISSA = 23;
/** Below it are subnormal numbers, which devices may take for 0. */
const SMALLEST = 2 ** -126;

/** How far `got` is from `want`, in units of float32's last place at that size; 0 for two NaNs or one infinity. */
export function distance(got: number, want: number, terms = 0): number {
  if (Object.is(got, want) || got === want || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(Math.fround(want))) return got === Math.fround(want) ? 0 : Infinity;
  if (Math.abs(got) < SMALLEST && Math.abs(want) < SMALLEST) return 0;
  const size = Math.max(Math.abs(want), terms, SMALLEST);
  return Math.abs(got - want) / 2 ** (Math.floor(Math.log2(size)) - MANTISSA);
}

/** The worst distance of a result, and the element that has it. */
export async function worstOf({ got, want, terms }: Expected): Promise<{ ulp: number; message: string }> {
  const data = await got.data();
  if (data.length !== want.length)
    return { ulp: Infinity, message: `${data.length} elements where ${want.length} are due` };
  let [ulp, message] = [0, ""];
  for (let k = 0; k < want.length; k++) {
    const [found, due] = [data[k] ?? NaN, want[k] ?? NaN];
    const own = distance(found, due, terms);
    if (own <= ulp) continue;
    ulp = own;
    message = `element ${k} of ${got.dtype}[${got.shape.join(", ")}] is ${found}, not ${due}`;
  }
  return { ulp, message };
}

/** Numbers without pattern that float32 holds exactly: multiples of 1/16 from −2 to 2. */
export function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, k) => ((((k + 1) * 2654435761 * seed) >>> 7) % 65) / 16 - 2);
}

export function total(xs: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < xs.length; k++) sum += xs[k] ?? 0;
  return sum;
}
