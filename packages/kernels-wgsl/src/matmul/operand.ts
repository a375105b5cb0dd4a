/** Where a matmul's operands lie, brought into the form the kernels take. Pure. */

/**
 * One operand of a matmul as it lies in its buffer. Stored row-major, `rowStride` scalars from row to row and neighbours
 * next to each other in a row; `trans` says that the stored rows are the columns of the matrix that is meant.
 */
export interface MatmulOperand {
  readonly trans: boolean;
  readonly rowStride: number;
  /** Scalars from one batch index to the next, one for each batch axis; 0 broadcasts. */
  readonly batchStrides: readonly number[];
  /** Scalars before the first element. */
  readonly offset: number;
}

/** An operand as a kernel sees it: element (long, k) is at base + long * stride + k * step. */
export interface View {
  readonly stride: number;
  readonly step: number;
  readonly base: number;
  /** Batch strides, innermost first, one for each axis of the collapsed batch. */
  readonly batch: readonly [number, number, number];
}

/** The batch after dropping axes of extent 1 and joining those that both operands walk through evenly. */
export interface Batch {
  readonly count: number;
  /** Extents of the two inner axes, innermost first; the third is count / (d0 * d1). */
  readonly d0: number;
  readonly d1: number;
  readonly a: readonly [number, number, number];
  readonly b: readonly [number, number, number];
}

interface Axis {
  size: number;
  a: number;
  b: number;
}

const MAX_AXES = 3;

/**
 * Joins batch axes until at most three remain.
 *
 * @throws Error when more than three remain, which takes operands that broadcast on alternating axes.
 */
export function collapseBatch(
  batch: readonly number[],
  aStrides: readonly number[],
  bStrides: readonly number[],
): Batch {
  if (aStrides.length !== batch.length || bStrides.length !== batch.length) {
    throw new Error(
      `matmul: ${batch.length} batch axes, got ${aStrides.length} strides for a and ${bStrides.length} for b; give one for each axis`,
    );
  }
  const axes: Axis[] = [];
  for (let i = batch.length - 1; i >= 0; i--) {
    const axis = { size: batch[i] ?? 1, a: aStrides[i] ?? 0, b: bStrides[i] ?? 0 };
    if (axis.size === 1) continue;
    const inner = axes.at(-1);
    if (inner !== undefined && axis.a === inner.a * inner.size && axis.b === inner.b * inner.size) {
      inner.size *= axis.size;
    } else axes.push(axis);
  }
  if (axes.length > MAX_AXES) {
    throw new Error(
      `matmul: ${axes.length} batch axes remain after joining, got [${batch.join(", ")}]; make an operand contiguous first, ${MAX_AXES} are possible`,
    );
  }
  const at = (i: number): Axis => axes[i] ?? { size: 1, a: 0, b: 0 };
  return {
    count: axes.reduce((product, axis) => product * axis.size, 1),
    d0: at(0).size,
    d1: at(1).size,
    a: [at(0).a, at(1).a, at(2).a],
    b: [at(0).b, at(1).b, at(2).b],
  };
}

/** The view of `operand` whose k axis is its stored row (`kIsRow`) or runs along its stored rows. */
export function viewOf(operand: MatmulOperand, kIsRow: boolean, batch: readonly [number, number, number]): View {
  return {
    stride: kIsRow ? 1 : operand.rowStride,
    step: kIsRow ? operand.rowStride : 1,
    base: operand.offset,
    batch,
  };
}

/** Whether everything but the contiguous axis is a whole number of vec4s, so that the buffer can be bound as vec4s. */
export function isAligned(view: View, across: number): boolean {
  return [across, view.base, ...view.batch].every((scalars) => scalars % 4 === 0);
}

/** The view with base and batch strides (and, given `fields`, those too) counted in vec4s. */
export function inVec4(view: View, fields: readonly ("stride" | "step")[]): View {
  const [x, y, z] = view.batch;
  const scaled = { ...view, base: view.base / 4, batch: [x / 4, y / 4, z / 4] as const };
  return {
    ...scaled,
    stride: fields.includes("stride") ? view.stride / 4 : view.stride,
    step: fields.includes("step") ? view.step / 4 : view.step,
  };
}
