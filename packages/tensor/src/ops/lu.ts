import { isInteger } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { broadcastShapes, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, broadcastedIota, type TensorLike } from "./create.ts";
import { equal, less, maximum, where } from "./elementwise.ts";
import { luFactors, solveTriangle, takeRows, transposed } from "./factorize.ts";
import { takeAlongAxis } from "./indexing.ts";
import { folded } from "./lax-reduce.ts";
import { matrices, sizeOfLast } from "./matrices.ts";
import { floating } from "./reduce.ts";
import { broadcastTo, expandDims, moveaxis, squeeze } from "./movement.ts";
import { argsort } from "./sorting.ts";

/** LU factors, their pivots, and solving by them. */

/** The order of a's rows in its factors as the exchanges that lead to it: row k with row pivots[k], one after the other. */
function pivotsOf(permutation: Tensor): Tensor {
  const n = sizeOfLast(permutation);
  const own = broadcastTo(broadcastedIota("int32", [n], 0), permutation.shape);
  // pivots[k] is the first of permutation[k], permutation[permutation[k]], … that is no less than k. `steps[j]` goes 2ʲ on, with the
  // largest on its way; the long ones are taken first, wherever they stay below k.
  const steps: { readonly to: Tensor; readonly most: Tensor }[] = [{ to: permutation, most: permutation }];
  for (let length = 2; length <= n; length *= 2) {
    const { to, most } = at(steps, steps.length - 1);
    steps.push({ to: takeAlongAxis(to, to, -1), most: maximum(most, takeAlongAxis(most, to, -1)) });
  }
  const last = steps.reduceRight((place, { to, most }) => {
    const below = less(takeAlongAxis(most, place, -1), own);
    return where(below, takeAlongAxis(to, place, -1), place);
  }, own);
  return takeAlongAxis(permutation, last, -1);
}

/**
 * P a = l u of square matrices: both factors in one matrix, the exchanges of rows that make P, and where each row came from.
 * Source: lax.linalg.lu, which takes rectangles, too.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await lax.linalg.lu(array([[0, 2], [1, 1]]))[2].toArray(); // [1, 0]
 */
export function lu(x: TensorLike): [lu: Tensor, pivots: Tensor, permutation: Tensor] {
  const { factors, permutation } = luFactors(matrices("lu", x, true));
  if (permutation.size === 0) return [factors, permutation, permutation];
  return [factors, composite("lu", () => pivotsOf(permutation)), permutation];
}

/**
 * The permutation of 0 … permutationSize − 1 that exchanges make: k with pivots[k], one after the other.
 * Source: lax.linalg.lu_pivots_to_permutation.
 *
 * @throws ShapeError for more pivots than the permutation has elements, DtypeError unless they are whole numbers.
 * @example await lax.linalg.luPivotsToPermutation(array([2, 2, 2]), 3).toArray(); // [2, 0, 1]
 */
export function luPivotsToPermutation(pivots: TensorLike, permutationSize: number): Tensor {
  const given = asTensor(pivots, "luPivotsToPermutation");
  if (!isInteger(given.dtype))
    throw new DtypeError(`luPivotsToPermutation: pivots are whole numbers, received ${given.dtype}`);
  const count = given.shape.at(-1);
  if (count === undefined || !Number.isInteger(permutationSize) || permutationSize < count)
    throw new ShapeError(
      `luPivotsToPermutation: pivots of shape ${shapeText(given.shape)} for a permutation of ${String(permutationSize)}; pivots in the last axis, at most as many as elements`,
    );
  const lead = given.shape.slice(0, -1);
  const shape = [count, ...lead, permutationSize];
  const place = broadcastedIota("int32", shape, shape.length - 1);
  if (count === 0) return broadcastTo(broadcastedIota("int32", [permutationSize], 0), shape.slice(1));
  return composite("luPivotsToPermutation", () => {
    const other = expandDims(moveaxis(convert(given, "int32"), -1, 0), -1);
    const own = broadcastedIota("int32", shape, 0);
    const exchanges = where(equal(place, own), other, where(equal(place, other), own, place));
    const [whole] = folded([exchanges], ([a], [b]) => (a && b ? [takeAlongAxis(a, b, -1)] : []));
    return whole ?? place;
  });
}

/**
 * The LU factors of square matrices in one matrix, and the exchanges of rows. Source: jax.scipy.linalg.lu_factor.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await scipyLinalg.luFactor(array([[0, 2], [1, 1]]))[1].toArray(); // [1, 1]
 */
export function luFactor(a: TensorLike): [lu: Tensor, pivots: Tensor] {
  const [factors, pivots] = lu(matrices("luFactor", a, true));
  return [factors, pivots];
}

/**
 * x with a x = b, or aᵀ x = b for `trans` 1 or 2, from luFactor(a). b is a vector [n] or matrices [..., n, m]; batch axes
 * broadcast. Source: jax.scipy.linalg.lu_solve.
 *
 * @throws ShapeError when b does not fit, ArgumentError for no pair or an unknown trans.
 * @example await scipyLinalg.luSolve(scipyLinalg.luFactor(array([[0, 2], [1, 1]])), array([4, 3])).toArray(); // [1, 2]
 */
export function luSolve(
  luAndPivots: readonly [TensorLike, TensorLike],
  b: TensorLike,
  options: { readonly trans?: 0 | 1 | 2 } = {},
): Tensor {
  checkOptions("luSolve", options, { trans: "number" });
  const { trans = 0 } = options;
  if (!Array.isArray(luAndPivots) || luAndPivots.length !== 2)
    throw new ArgumentError(`luSolve: takes what luFactor gives, [lu, pivots], received ${typeof luAndPivots}`);
  if (![0, 1, 2].includes(trans)) throw new ArgumentError(`luSolve: trans is 0, 1 or 2, received ${String(trans)}`);
  const [factors, pivots] = [matrices("luSolve", luAndPivots[0], true), asTensor(luAndPivots[1], "luSolve")];
  const right = floating(b, "luSolve");
  const n = sizeOfLast(factors);
  const columns = right.ndim === 1 ? expandDims(right, -1) : right;
  if (columns.ndim < 2 || columns.shape.at(-2) !== n || pivots.shape.at(-1) !== n)
    throw new ShapeError(
      `luSolve: factors of shape ${shapeText(factors.shape)} and pivots ${shapeText(pivots.shape)} do not fit b of shape ${shapeText(right.shape)}; b is [${n}] or [..., ${n}, m]`,
    );
  const lead = broadcastShapes("luSolve", factors.shape.slice(0, -2), columns.shape.slice(0, -2));
  const x = composite("luSolve", () => {
    const a = broadcastTo(factors, [...lead, n, n]);
    const order = broadcastTo(luPivotsToPermutation(pivots, n), [...lead, n]);
    const y = broadcastTo(columns, [...lead, n, sizeOfLast(columns)]);
    if (trans === 0) {
      const first = solveTriangle(a, takeRows(y, order), { upper: false, unit: true });
      return solveTriangle(a, first, { upper: true, unit: false });
    }
    const first = solveTriangle(transposed(a), y, { upper: false, unit: false });
    return takeRows(solveTriangle(transposed(a), first, { upper: true, unit: true }), argsort(order));
  });
  return right.ndim === 1 ? squeeze(x, -1) : x;
}
