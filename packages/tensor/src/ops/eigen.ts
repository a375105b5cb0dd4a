import { planEigh } from "@jnx/kernels-wgsl";
import { bindCall, type CallOp, type CallPullback } from "../call.ts";
import { bind } from "../dispatch.ts";
import { ArgumentError } from "../errors.ts";
import type { KernelOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { diagonalOfLast } from "./contraction.ts";
import type { TensorLike } from "./create.ts";
import { add, div, mul, sub } from "./elementwise.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { ALONE, block, transposed } from "./factorize.ts";
import { largeEigh, type Turns } from "./jacobi.ts";
import { sliceAlong } from "./join.ts";
import { identity, matrices, onDiagonal, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { expandDims, squeeze } from "./movement.ts";

const EIGH_OPTIONS = { UPLO: true, symmetrizeInput: "flag" } as const;
const EIGVALSH_OPTIONS = { UPLO: true } as const;
const LAX_EIGH_OPTIONS = {
  lower: "flag",
  symmetrizeInput: "flag",
  sortEigenvalues: "flag",
  subsetByIndex: true,
} as const;

interface EighAttrs {
  /** At most so many sweeps; as many as it takes, unless told. */
  readonly sweeps?: number;
}

/** Eigenvalues over eigenvectors of symmetric matrices, whose lower triangle is read: [..., 1 + n, n]. */
const eighOp: KernelOp<EighAttrs> = {
  kind: "kernel",
  name: "eigh",
  infer: ([a]) => {
    const shape = a?.shape ?? [];
    const n = shape.at(-1) ?? 0;
    return { shape: [...shape.slice(0, -2), n + 1, n], dtype: "float32", weak: false };
  },
  accepts: () => true,
  plan: ([a], attrs, limits) => {
    const shape = a?.aval.shape ?? [];
    return planEigh({ n: shape.at(-1) ?? 0, count: sizeOf(shape.slice(0, -2)), ...attrs }, limits);
  },
  // The decomposition as a call has rules: through one packed result a zero for the vectors would meet their infinite slopes.
  vjp: "nondifferentiable",
  batch: (inputs, _batched, attrs) => bind(eighOp, inputs, attrs),
};

/** What one leaves, the next meeting of the same blocks takes away. */
const SWEEPS_OF_A_ROUND = 1;

/** The turns that bring products of rows near a diagonal. */
export const turnsOf: Turns = (products) => {
  const n = sizeOfLast(products);
  return block(bind(eighOp, [products], { sweeps: SWEEPS_OF_A_ROUND }), 1, n + 1);
};

function packedEigh(a: Tensor): Tensor {
  if (sizeOfLast(a) <= ALONE) return bind(eighOp, [a], {});
  return composite("eigh", () => largeEigh(convert(a, "float32"), turnsOf));
}

/** Values and vectors as one call, with their derivatives: dw = diag(vᵀ ȧ v), dv = v (F ∘ vᵀ ȧ v). */
function eighCall(): CallOp {
  return {
    name: "eigh",
    run: ([a]) => (a === undefined ? [] : parts(packedEigh(a))),
    jvp: ([a], [tangent]) => {
      const [w, v] = solved(a);
      if (tangent === undefined) return { outputs: [w, v], tangents: [] };
      const inner = matmul(matmul(transposed(v), tangent), v);
      return { outputs: [w, v], tangents: [diagonalOfLast(inner, 0), matmul(v, mul(reciprocalGaps(w), inner))] };
    },
    vjp: ([a]): CallPullback => {
      const [w, v] = solved(a);
      return { outputs: [w, v], residuals: [w, v], pull: (cts) => [pulled(w, v, cts)] };
    },
  };
}

function pulled(w: Tensor, v: Tensor, [dw, dv]: readonly (Tensor | undefined)[]): Tensor | undefined {
  const byValues = dw === undefined ? undefined : onDiagonal(dw);
  const byVectors = dv === undefined ? undefined : mul(reciprocalGaps(w), matmul(transposed(v), dv));
  const inner = byValues === undefined || byVectors === undefined ? (byValues ?? byVectors) : add(byValues, byVectors);
  return inner === undefined ? undefined : matmul(matmul(v, inner), transposed(v));
}

function parts(packed: Tensor): [w: Tensor, v: Tensor] {
  return [squeeze(block(packed, 0, 1), -2), block(packed, 1, sizeOfLast(packed) + 1)];
}

function solved(a: Tensor | undefined): [w: Tensor, v: Tensor] {
  if (a === undefined) throw new ArgumentError("eigh: takes a tensor, received none");
  return bindCall(eighCall(), [a]) as [Tensor, Tensor]; // what its run returns
}

/** 1 / (w[j] − w[i]) at row i and column j, 0 on the diagonal. */
function reciprocalGaps(values: Tensor): Tensor {
  const one = identity(sizeOfLast(values));
  return sub(div(1, sub(add(one, expandDims(values, -2)), expandDims(values, -1))), one);
}

/** Of matrices whose lower (or upper) triangle is read, or their mean with their transposes. */
function decomposed(a: Tensor, lower: boolean, symmetrize: boolean): [w: Tensor, v: Tensor] {
  const read = symmetrize ? mul(add(a, transposed(a)), 0.5) : lower ? a : transposed(a);
  return solved(read);
}

export interface EighOptions {
  /** Which triangle is read where the input is not symmetrized: "L" (unless told) or "U". */
  readonly UPLO?: "L" | "U";
  /** Takes (a + aᵀ) / 2 first, unless false. */
  readonly symmetrizeInput?: boolean;
}

/**
 * Eigenvalues w in ascending order and orthonormal eigenvectors v, one a column, of symmetric matrices [..., n, n]:
 * a = v diag(w) vᵀ, by Jacobi's method. The sign of a vector is not defined, nor are vectors of equal eigenvalues, whose
 * derivatives are not finite. NaN for a matrix with an element that is not finite. Source: jnp.linalg.eigh.
 *
 * @throws ShapeError unless the last two axes are equal, ArgumentError for another UPLO.
 * @example await linalg.eigh(array([[2, 1], [1, 2]]))[0].toArray(); // [1, 3]
 */
export function eigh(a: TensorLike, options: EighOptions = {}): [eigenvalues: Tensor, eigenvectors: Tensor] {
  checkOptions("eigh", options, EIGH_OPTIONS);
  const { symmetrizeInput = true } = options;
  return decomposed(matrices("eigh", a, true), isLower("eigh", options.UPLO), symmetrizeInput);
}

/**
 * The eigenvalues of symmetric matrices [..., n, n] in ascending order. Source: jnp.linalg.eigvalsh.
 *
 * @throws ShapeError unless the last two axes are equal, ArgumentError for another UPLO.
 * @example await linalg.eigvalsh(array([[0, 1], [1, 0]])).toArray(); // [-1, 1]
 */
export function eigvalsh(a: TensorLike, options: Pick<EighOptions, "UPLO"> = {}): Tensor {
  checkOptions("eigvalsh", options, EIGVALSH_OPTIONS);
  return decomposed(matrices("eigvalsh", a, true), isLower("eigvalsh", options.UPLO), true)[0];
}

function isLower(name: string, triangle: string | undefined): boolean {
  if (triangle === undefined || triangle === "L" || triangle === "U") return triangle !== "U";
  throw new ArgumentError(`${name}: UPLO is "L" or "U", received ${JSON.stringify(triangle)}`);
}

export interface LaxEighOptions {
  /** Which triangle is read where the input is not symmetrized; the lower one unless false. */
  readonly lower?: boolean;
  /** Takes (x + xᵀ) / 2 first, unless false. */
  readonly symmetrizeInput?: boolean;
  /** They are sorted whatever it says: without it their order is the implementation's. */
  readonly sortEigenvalues?: boolean;
  /** The range of eigenvalues that is returned, `[start, end]`, counted in ascending order; all unless told. */
  readonly subsetByIndex?: readonly [start: number, end: number];
}

/**
 * As linalg.eigh, vectors first: `[v, w]`. Source: lax.linalg.eigh.
 *
 * @throws ShapeError unless the last two axes are equal, ArgumentError for a subset that is none.
 * @example await laxLinalg.eigh(array([[2, 1], [1, 2]]), { subsetByIndex: [1, 2] })[1].toArray(); // [3]
 */
export function laxEigh(x: TensorLike, options: LaxEighOptions = {}): [v: Tensor, w: Tensor] {
  checkOptions("eigh", options, LAX_EIGH_OPTIONS);
  const { lower = true, symmetrizeInput = true, subsetByIndex } = options;
  const a = matrices("eigh", x, true);
  const n = at(a.shape, a.ndim - 1);
  const [start, end] = subsetByIndex ?? [0, n];
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > n)
    throw new ArgumentError(
      `eigh: subsetByIndex [${start}, ${end}] is no range within the ${n} eigenvalues; expected 0 <= start <= end <= ${n}`,
    );
  const [values, vectors] = decomposed(a, lower, symmetrizeInput);
  const part = (one: Tensor): Tensor => (end - start === n ? one : sliceAlong(one, one.ndim - 1, start, end));
  return [part(vectors), part(values)];
}
