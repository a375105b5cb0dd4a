import { planCholesky, planLu, planQr, planTriangularSolve, type TriangularSpec } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ArgumentError } from "../errors.ts";
import type { KernelOp, KernelOperand } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Aval, Tensor } from "../tensor.ts";
import { at, isContiguous, type View } from "../view.ts";
import { convert } from "./convert.ts";
import { broadcastedIota } from "./create.ts";
import { add, equal, greater, greaterEqual, mul, neg, remainder, sub, where } from "./elementwise.ts";
import { takeAlongAxis } from "./indexing.ts";
import { identity } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, laxSlice, squeeze, swapaxes } from "./movement.ts";
import { sum } from "./reduce.ts";

/** The records behind jnp.linalg: float32 matrices in the last two axes, any batch axes before them. */

export const transposed = (x: Tensor): Tensor => swapaxes(x, -1, -2);

const rowsOf = (x: { readonly shape: Shape }): number => at(x.shape, x.shape.length - 2);
const columnsOf = (x: { readonly shape: Shape }): number => at(x.shape, x.shape.length - 1);

function matrixCount({ shape }: Aval): number {
  return sizeOf(shape.slice(0, -2));
}

/** Rows `from` to `to` and columns up to `columns` of the last two axes. */
export function block(x: Tensor, from: number, to: number, columns = columnsOf(x)): Tensor {
  const lead = x.shape.slice(0, -2);
  return laxSlice(x, [...lead.map(() => 0), from, 0], [...lead, to, columns]);
}

/** True where column − row is at most `offset`: on and below the main diagonal for 0. */
function below(rows: number, columns: number, offset: number): Tensor {
  const [i, j] = [broadcastedIota("int32", [rows, columns], 0), broadcastedIota("int32", [rows, columns], 1)];
  return greaterEqual(add(i, offset), j);
}

/** The lower triangle up to the diagonal `offset` right of the main one, zeros elsewhere. */
export function lower(x: Tensor, offset = 0): Tensor {
  return where(below(rowsOf(x), columnsOf(x), offset), x, 0);
}

/** The upper triangle from the diagonal `offset` right of the main one on. */
export function upper(x: Tensor, offset = 0): Tensor {
  return where(below(rowsOf(x), columnsOf(x), offset - 1), 0, x);
}

/** The lower triangle with half its diagonal. */
function halved(x: Tensor): Tensor {
  return mul(add(lower(x), lower(x, -1)), 0.5);
}

/** All operands with one batch in front. */
function together(inputs: readonly Tensor[], batched: readonly boolean[]): Tensor[] {
  const size = at(
    inputs.filter((_, k) => batched[k]).map((x) => at(x.shape, 0)),
    0,
  );
  return inputs.map((x, k) => (batched[k] ? x : broadcastTo(x, [size, ...x.shape])));
}

const choleskyOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "cholesky",
  infer: ([a]) => ({ shape: a?.shape ?? [], dtype: "float32", weak: false }),
  accepts: () => true,
  plan: ([a], _attrs, limits) =>
    a === undefined ? [] : planCholesky({ n: columnsOf(a.aval), count: matrixCount(a.aval) }, limits),
  // Ā = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, Φ the lower triangle with half its diagonal.
  vjp: ({ output: l }, ct) => {
    const inner = solveTriangle(transposed(l), halved(matmul(transposed(l), ct)), { upper: true, unit: false });
    return [transposed(solveTriangle(transposed(l), transposed(inner), { upper: true, unit: false }))];
  },
  batch: (inputs) => bind(choleskyOp, inputs, undefined),
};

/** The lower triangular l with l lᵀ = a; reads a's lower triangle. NaN in the triangle unless a is positive definite. */
export function choleskyFactor(a: Tensor): Tensor {
  return bind(choleskyOp, [a], undefined);
}

/** Which triangle holds the numbers, and whether the diagonal is taken as 1. */
export interface Triangle {
  readonly upper: boolean;
  readonly unit: boolean;
}

/** Where matrix elements lie if all batch axes are walked with one stride. */
function stridesOf(view: View): TriangularSpec["a"] | undefined {
  const { shape, strides, offset } = view;
  const rank = shape.length;
  const batch = strides.slice(0, -2);
  let [step, extent] = [0, 1];
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const size = at(shape, axis);
    if (size === 1) continue;
    if (extent === 1) step = at(batch, axis);
    else if (at(batch, axis) !== step * extent) return undefined;
    extent *= size;
  }
  if (strides.some((stride) => stride < 0)) return undefined;
  return { base: offset, batch: step, row: at(strides, rank - 2), column: at(strides, rank - 1) };
}

function contiguousStrides({ shape }: Aval): TriangularSpec["a"] {
  const n = at(shape, shape.length - 1);
  return { base: 0, batch: n * n, row: n, column: 1 };
}

function triangularStages(a: KernelOperand, b: KernelOperand, triangle: Triangle): TriangularSpec {
  const [n, m] = [rowsOf(b.aval), columnsOf(b.aval)];
  return { n, m, count: matrixCount(b.aval), ...triangle, a: stridesOf(a.view) ?? contiguousStrides(a.aval) };
}

const triangularOp: KernelOp<Triangle> = {
  kind: "kernel",
  name: "triangular_solve",
  infer: ([, b]) => ({ shape: b?.shape ?? [], dtype: "float32", weak: false }),
  // The right side is read through a hook, which walks any view.
  accepts: (view, operand) => operand === 1 || isContiguous(view) || stridesOf(view) !== undefined,
  plan: ([a, b], triangle, limits) =>
    a === undefined || b === undefined ? [] : planTriangularSolve(triangularStages(a, b, triangle), limits),
  vjp: ({ inputs: [a], output: x, attrs: { upper: isUpper, unit }, needs }, ct) => {
    if (a === undefined) return [];
    const b = solveTriangle(transposed(a), ct, { upper: !isUpper, unit });
    if (!needs[0]) return [undefined, b];
    const full = neg(matmul(b, transposed(x)));
    const edge = unit ? 1 : 0;
    return [isUpper ? upper(full, edge) : lower(full, -edge), needs[1] ? b : undefined];
  },
  batch: (inputs, batched, triangle) => bind(triangularOp, together(inputs, batched), triangle),
};

/** x with a x = b for a triangular a: [..., n, n] and [..., n, m] of one batch. */
export function solveTriangle(a: Tensor, b: Tensor, triangle: Triangle): Tensor {
  return bind(triangularOp, [a, b], triangle);
}

/** P a = l u, packed: l below the diagonal, u on and above it, and one more row with the permutation as floats. */
const luOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "lu",
  infer: ([a]) => {
    const shape = a?.shape ?? [];
    const n = shape.at(-1) ?? 0;
    return { shape: [...shape.slice(0, -2), n + 1, n], dtype: "float32", weak: false };
  },
  accepts: () => true,
  plan: ([a], _attrs, limits) =>
    a === undefined ? [] : planLu({ n: columnsOf(a.aval), count: matrixCount(a.aval) }, limits),
  // P Ā = L⁻ᵀ (tril(Lᵀ L̄, −1) + triu(Ū Uᵀ)) U⁻ᵀ
  vjp: ({ output }, ct) => {
    const n = columnsOf(output);
    const [factors, slope] = [block(output, 0, n), block(ct, 0, n)];
    const low = add(lower(factors, -1), identity(n));
    const middle = add(
      lower(matmul(transposed(low), lower(slope, -1)), -1),
      upper(matmul(upper(slope), transposed(upper(factors)))),
    );
    const left = solveTriangle(transposed(factors), middle, { upper: true, unit: true });
    // X Uᵀ = left, as U Xᵀ = leftᵀ.
    const right = transposed(solveTriangle(factors, transposed(left), { upper: true, unit: false }));
    return [takeRows(right, inverse(permutationOf(output)))];
  },
  batch: (inputs) => bind(luOp, inputs, undefined),
};

/** What LU leaves: both factors in one matrix, and which row of a each row of them came from. */
export interface LuFactors {
  readonly factors: Tensor;
  readonly permutation: Tensor;
}

/** LU with partial pivoting: factors [..., n, n], permutation int32 [..., n]. */
export function luFactors(a: Tensor): LuFactors {
  const packed = bind(luOp, [a], undefined);
  return { factors: block(packed, 0, columnsOf(packed)), permutation: permutationOf(packed) };
}

function permutationOf(packed: Tensor): Tensor {
  const n = columnsOf(packed);
  const row = block(packed, n, n + 1);
  return convert(squeeze(row, -2), "int32");
}

/** Rows of x in the order of a permutation int32 [..., n]. */
export function takeRows(x: Tensor, permutation: Tensor): Tensor {
  return takeAlongAxis(x, expandDims(permutation, -1), x.ndim - 2);
}

/** The permutation that undoes one. */
function inverse(permutation: Tensor): Tensor {
  const n = permutation.shape.at(-1) ?? 0;
  const [i, j] = [broadcastedIota("int32", [n, n], 0), broadcastedIota("int32", [n, n], 1)];
  return sum(where(equal(expandDims(permutation, -1), j), i, 0), { axis: -2 });
}

/** +1 for an even permutation int32 [..., n], −1 for an odd one: by the pairs that stand the wrong way round. */
export function parity(permutation: Tensor): Tensor {
  const n = permutation.shape.at(-1) ?? 0;
  const wrong = greater(expandDims(permutation, -1), expandDims(permutation, -2));
  const pairs = sum(where(below(n, n, 0), 0, convert(wrong, "int32")), { axis: [-2, -1] });
  return convert(sub(1, mul(2, remainder(pairs, 2))), "float32");
}

interface QrAttrs {
  /** Columns of Q and rows of R. */
  readonly rank: number;
}

/** Q above R, each in as many columns as the wider has. */
const qrOp: KernelOp<QrAttrs> = {
  kind: "kernel",
  name: "qr",
  infer: ([a], { rank }) => {
    const shape = a?.shape ?? [];
    const [m, n] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0];
    return { shape: [...shape.slice(0, -2), m + rank, Math.max(rank, n)], dtype: "float32", weak: false };
  },
  accepts: () => true,
  plan: ([a], { rank }, limits) =>
    a === undefined
      ? []
      : planQr({ m: rowsOf(a.aval), n: columnsOf(a.aval), rank, count: matrixCount(a.aval) }, limits),
  vjp: ({ inputs: [a], output, attrs: { rank } }, ct) => {
    if (a === undefined) return [];
    const [m, n] = [rowsOf(a), columnsOf(a)];
    if (rank !== n)
      throw new ArgumentError(
        `qr: has no gradient for ${m} x ${n} matrices with ${rank} columns of Q; it takes at least as many rows as columns, and mode "reduced"`,
      );
    const [q, r] = [block(output, 0, m), block(output, m, m + n)];
    const [dq, dr] = [block(ct, 0, m), block(ct, m, m + n)];
    // Ā = (Q̄ + Q S) R⁻ᵀ, S the symmetric matrix with the lower triangle of R R̄ᵀ − Q̄ᵀ Q.
    const inner = sub(matmul(r, transposed(dr)), matmul(transposed(dq), q));
    const symmetric = add(lower(inner), transposed(lower(inner, -1)));
    const full = add(dq, matmul(q, symmetric));
    return [transposed(solveTriangle(r, transposed(full), { upper: true, unit: false }))];
  },
  batch: (inputs, _batched, attrs) => bind(qrOp, inputs, attrs),
};

/** Q [..., m, rank] and R [..., rank, n] by Householder reflections, with LAPACK's signs. */
export function qrFactors(a: Tensor, rank: number): [Tensor, Tensor] {
  const [m, n] = [rowsOf(a), columnsOf(a)];
  const packed = bind(qrOp, [a], { rank });
  return [block(packed, 0, m, rank), block(packed, m, m + rank, n)];
}
