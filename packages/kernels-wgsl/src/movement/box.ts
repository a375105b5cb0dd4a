import { ceilDiv } from "../launch.ts";
import type { PlanLimits } from "../stage.ts";

/** Bits of the lanes in a workgroup of 64. */
const LANE_BITS = 6;
/** Invocations from which on each takes several elements: a software adapter pays for every one, and a core alone needs few. */
const BUSY = { parallel: 16384, sequential: 2048 } as const;
const MOST_STEPS = 16;

export interface Box {
  readonly grid: readonly [number, number, number];
  /** The uniform's fields. */
  readonly params: { readonly xBits: number; readonly yBits: number; readonly yStep: number; readonly zStep: number };
}

/**
 * How workgroups of 64 lanes cover nx * ny * nz results, x contiguous, without a division in the kernel: 2^xBits
 * lanes along x, 2^yBits along y, the rest along z. The grid covers x and the shorter of y and z; invocations step
 * along the longer of the two, whose step is not 0. `most` bounds xBits.
 *
 * @throws Error when x or both y and z are longer than the grid.
 */
export function boxOf(op: string, nx: number, ny: number, nz: number, limits: PlanLimits, most = LANE_BITS): Box {
  const limit = limits.maxComputeWorkgroupsPerDimension;
  const xBits = Math.min(most, log2Up(nx));
  const yBits = Math.min(LANE_BITS - xBits, log2Up(ny));
  const zBits = LANE_BITS - xBits - yBits;
  const x = ceilDiv(nx, 2 ** xBits);
  let y = ceilDiv(ny, 2 ** yBits);
  let z = ceilDiv(nz, 2 ** zBits);
  const busy = limits.sequential === true ? BUSY.sequential : BUSY.parallel;
  const steps = Math.min(MOST_STEPS, ceilDiv(x * y * z * 2 ** LANE_BITS, busy));
  const alongY = y >= z;
  if (alongY) y = Math.min(limit, ceilDiv(y, steps));
  else z = Math.min(limit, ceilDiv(z, steps));
  if (Math.max(x, y, z) > limit) {
    throw new Error(
      `${op}: a result of [${nz}, ${ny}, ${nx}] is past ${limit} workgroups a dimension; take it in slices`,
    );
  }
  const params = { xBits, yBits, yStep: alongY ? y * 2 ** yBits : 0, zStep: alongY ? 0 : z * 2 ** zBits };
  return { grid: [x, y, z], params };
}

/** The least b with 2^b >= n. */
export function log2Up(n: number): number {
  let bits = 0;
  while (2 ** bits < n) bits++;
  return bits;
}
