import {
  luRows,
  planCholesky,
  planLu,
  planQr,
  planReflections,
  planTriangularSolve,
  type TriangularSpec,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ArgumentError } from "../errors.ts";
import type { KernelOp, KernelOperand } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Aval, Tensor } from "../tensor.ts";
import { at, isContiguous, type View } from "../view.ts";
import { choleskyByHalves, composed, luByHalves, qrByPanels, solvedByHalves, type Reflections } from "./blocked.ts";
import { convert } from "./convert.ts";
import { broadcastedIota, zerosLike } from "./create.ts";
import { add, equal, greater, greaterEqual, mul, neg, remainder, sub, where } from "./elementwise.ts";
import { takeAlongAxis } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { identity } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, laxSlice, reshape, squeeze, swapaxes } from "./movement.ts";
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
export function below(rows: number, columns: number, offset: number): Tensor {
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

/** The most rows (of reflections and LU, columns) that a kernel works on at a time: past that products are faster. */
const SMALL = { cholesky: 128, triangle: 64, lu: 32, reflections: 32 } as const;
/** The most columns of matrices that a kernel factorizes alone. */
export const ALONE = 256;

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
  // dL = L Φ(L⁻¹ dA L⁻ᵀ)
  jvp: ({ output: l }, [da]) => {
    if (da === undefined) return undefined;
    const left = solveTriangle(l, da, { upper: false, unit: false });
    return matmul(l, halved(transposed(solveTriangle(l, transposed(left), { upper: false, unit: false }))));
  },
  batch: ([a]) => choleskyFactor(given(a)),
};

/** The lower triangular l with l lᵀ = a; reads a's lower triangle. NaN in the triangle unless a is positive definite. */
export function choleskyFactor(a: Tensor): Tensor {
  const run = (x: Tensor): Tensor => bind(choleskyOp, [x], undefined);
  if (columnsOf(a) <= ALONE) return run(a);
  const small = { leaf: SMALL.cholesky, run };
  return composed(choleskyOp, [a], undefined, ([x]) => choleskyByHalves(float32(x), small));
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
  // dX = A⁻¹ (dB − dA X)
  jvp: ({ inputs: [a], output: x, attrs: { upper: isUpper, unit } }, [da, db]) => {
    const edge = unit ? 1 : 0;
    const moved = da === undefined ? undefined : matmul(isUpper ? upper(da, edge) : lower(da, -edge), x);
    const right = moved === undefined ? db : db === undefined ? neg(moved) : sub(db, moved);
    return right === undefined ? undefined : solveTriangle(given(a), right, { upper: isUpper, unit });
  },
  batch: (inputs, batched, triangle) => {
    const [a, b] = together(inputs, batched);
    return solveTriangle(given(a), given(b), triangle);
  },
};

/** x with a x = b for a triangular a: [..., n, n] and [..., n, m] of one batch. */
export function solveTriangle(a: Tensor, b: Tensor, triangle: Triangle): Tensor {
  const run = (one: Tensor, right: Tensor): Tensor => bind(triangularOp, [one, right], triangle);
  if (columnsOf(a) <= SMALL.triangle) return run(a, b);
  const small = { leaf: SMALL.triangle, run };
  return composed(triangularOp, [a, b], triangle, ([one, right]) =>
    solvedByHalves(float32(one), float32(right), triangle.upper, small),
  );
}

function given(x: Tensor | undefined): Tensor {
  if (x === undefined) throw new Error("jnx internal error: a rule for matrices was given too few operands");
  return x;
}

const float32 = (x: Tensor | undefined): Tensor => convert(given(x), "float32");

/** P a = l u, packed: l below the diagonal, u on and above it, and further rows with the permutation as floats. */
const luOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "lu",
  infer: ([a]) => {
    const shape = a?.shape ?? [];
    const [m, n] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0];
    return { shape: [...shape.slice(0, -2), luRows(m, n), n], dtype: "float32", weak: false };
  },
  accepts: () => true,
  plan: ([a], _attrs, limits) =>
    a === undefined ? [] : planLu({ m: rowsOf(a.aval), n: columnsOf(a.aval), count: matrixCount(a.aval) }, limits),
  // P Ā = L⁻ᵀ (tril(Lᵀ L̄, −1) + triu(Ū Uᵀ)) U⁻ᵀ
  vjp: ({ output }, ct) => {
    const n = columnsOf(output);
    const { factors, permutation } = unpackedLu(output, n);
    const slope = block(ct, 0, n);
    const low = add(lower(factors, -1), identity(n));
    const middle = add(
      lower(matmul(transposed(low), lower(slope, -1)), -1),
      upper(matmul(upper(slope), transposed(upper(factors)))),
    );
    const left = solveTriangle(transposed(factors), middle, { upper: true, unit: true });
    // X Uᵀ = left, as U Xᵀ = leftᵀ.
    const right = transposed(solveTriangle(factors, transposed(left), { upper: true, unit: false }));
    return [takeRows(right, inverse(permutation))];
  },
  // dL = L tril(M, −1) and dU = triu(M) U with M = L⁻¹ P dA U⁻¹
  jvp: ({ output }, [da]) => {
    if (da === undefined) return undefined;
    const n = columnsOf(output);
    const { factors, permutation } = unpackedLu(output, n);
    const left = solveTriangle(factors, takeRows(da, permutation), { upper: false, unit: true });
    const inner = transposed(solveTriangle(transposed(factors), transposed(left), { upper: false, unit: false }));
    const low = add(lower(factors, -1), identity(n));
    const moves = add(matmul(low, lower(inner, -1)), matmul(upper(inner), upper(factors)));
    return concatenate([moves, zerosLike(block(output, n, n + 1))], { axis: -2 });
  },
  batch: ([a]) => packedLu(given(a)),
};

/** What LU leaves: both factors in one matrix, and which row of a each row of them came from. */
export interface LuFactors {
  readonly factors: Tensor;
  readonly permutation: Tensor;
}

/** LU with partial pivoting: factors [..., n, n], permutation int32 [..., n]. */
export function luFactors(a: Tensor): LuFactors {
  return unpackedLu(packedLu(a), rowsOf(a));
}

function packedLu(a: Tensor): Tensor {
  if (columnsOf(a) <= ALONE) return bind(luOp, [a], undefined);
  const run = (x: Tensor): LuFactors => unpackedLu(bind(luOp, [x], undefined), rowsOf(x));
  const small = { leaf: SMALL.lu, run };
  return composed(luOp, [a], undefined, ([x]) => {
    const { factors, permutation } = luByHalves(float32(x), small);
    return concatenate([factors, expandDims(convert(permutation, "float32"), -2)], { axis: -2 });
  });
}

/** The factors of m rows out of one array. */
function unpackedLu(packed: Tensor, m: number): LuFactors {
  const rows = rowsOf(packed);
  const flat = reshape(block(packed, m, rows), [...packed.shape.slice(0, -2), (rows - m) * columnsOf(packed)]);
  return { factors: block(packed, 0, m), permutation: convert(sliceAlong(flat, flat.ndim - 1, 0, m), "int32") };
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
    const [m, n] = differentiable(a, rank);
    const [q, r] = [block(output, 0, m), block(output, m, m + n)];
    const [dq, dr] = [block(ct, 0, m), block(ct, m, m + n)];
    // Ā = (Q̄ + Q S) R⁻ᵀ, S the symmetric matrix with the lower triangle of R R̄ᵀ − Q̄ᵀ Q.
    const inner = sub(matmul(r, transposed(dr)), matmul(transposed(dq), q));
    const symmetric = add(lower(inner), transposed(lower(inner, -1)));
    const full = add(dq, matmul(q, symmetric));
    return [transposed(solveTriangle(r, transposed(full), { upper: true, unit: false }))];
  },
  // dQ = X − Q (S − O) and dR = (S − O) R with X = dA R⁻¹, S = Qᵀ X and O the antisymmetric matrix with S's lower triangle.
  jvp: ({ inputs: [a], output, attrs: { rank } }, [da]) => {
    if (a === undefined || da === undefined) return undefined;
    const [m, n] = differentiable(a, rank);
    const [q, r] = [block(output, 0, m), block(output, m, m + n)];
    const x = transposed(solveTriangle(transposed(r), transposed(da), { upper: false, unit: false }));
    const inner = matmul(transposed(q), x);
    const turn = lower(inner, -1);
    const rest = sub(inner, sub(turn, transposed(turn)));
    return concatenate([sub(x, matmul(q, rest)), matmul(rest, r)], { axis: -2 });
  },
  batch: ([a], _batched, { rank }) => packedQr(given(a), rank),
};

function differentiable(a: Tensor, rank: number): [m: number, n: number] {
  const [m, n] = [rowsOf(a), columnsOf(a)];
  if (rank !== n)
    throw new ArgumentError(
      `qr: has no gradient for ${m} x ${n} matrices with ${rank} columns of Q; it takes at least as many rows as columns, and mode "reduced"`,
    );
  return [m, n];
}

/** LAPACK's geqrf: R on and above the diagonal, the reflections' vectors below it, their factors in one more row. */
const reflectionsOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "geqrf",
  infer: ([a]) => {
    const shape = a?.shape ?? [];
    const [m, n] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0];
    return { shape: [...shape.slice(0, -2), m + 1, n], dtype: "float32", weak: false };
  },
  accepts: () => true,
  plan: ([a], _attrs, limits) =>
    a === undefined
      ? []
      : planReflections({ m: rowsOf(a.aval), n: columnsOf(a.aval), count: matrixCount(a.aval) }, limits),
  // The factorization as a whole has rules.
  vjp: "nondifferentiable",
  batch: (inputs) => bind(reflectionsOp, inputs, undefined),
};

function reflected(a: Tensor): Reflections {
  const m = rowsOf(a);
  const packed = bind(reflectionsOp, [a], undefined);
  return { packed: block(packed, 0, m), tau: squeeze(block(packed, m, m + 1), -2) };
}

function packedQr(a: Tensor, rank: number): Tensor {
  if (Math.min(rowsOf(a), columnsOf(a)) <= ALONE) return bind(qrOp, [a], { rank });
  const small = { leaf: SMALL.reflections, run: reflected };
  return composed(qrOp, [a], { rank }, ([x]) => qrByPanels(float32(x), rank, small));
}

/** Q [..., m, rank] and R [..., rank, n] by Householder reflections, with LAPACK's signs. */
export function qrFactors(a: Tensor, rank: number): [Tensor, Tensor] {
  const [m, n] = [rowsOf(a), columnsOf(a)];
  const packed = packedQr(a, rank);
  return [block(packed, 0, m, rank), block(packed, m, m + rank, n)];
}
