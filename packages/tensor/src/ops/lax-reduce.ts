import { isInteger, rangeOf, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { flatten, unflatten, type TreeDef } from "../flatten.ts";
import type { AnyOp } from "../op.ts";
import { keptStorages } from "../reach.ts";
import { checkList, normalizeAxes, sameShape, shapeText, sizeOf } from "../shape.ts";
import { inArena } from "../storage.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add, bitwiseAnd, bitwiseOr, bitwiseXor, maximum, minimum, mul } from "./elementwise.ts";
import { concatenate } from "./join.ts";
import { reduceAnd, reduceMax, reduceMin, reduceOr, reduceProd, reduceSum, reduceXor } from "./lax.ts";
import { broadcastTo, laxSlice, reshape, squeeze, transpose } from "./movement.ts";
import { soleOp } from "./sole-op.ts";

/** A tree of arrays with whatever can be one in the place of each. */
type Scalars<T> = T extends Tensor ? TensorLike : { readonly [K in keyof T]: Scalars<T[K]> };

interface Monoid {
  readonly op: AnyOp;
  readonly reduce: (x: Tensor, axes: readonly number[]) => Tensor;
  /** What changes nothing, in an array's dtype. */
  identity(dtype: DType): number;
  /** The only dtype that the kernel takes. */
  readonly of?: DType;
}

/** The computations that have kernels. */
const monoids = (): readonly Monoid[] => [
  { op: add.op, reduce: reduceSum, identity: () => 0 },
  { op: mul.op, reduce: reduceProd, identity: () => 1 },
  { op: maximum.op, reduce: reduceMax, identity: (dtype) => edgeOf(dtype, 0) },
  { op: minimum.op, reduce: reduceMin, identity: (dtype) => edgeOf(dtype, 1) },
  { op: bitwiseAnd.op, reduce: reduceAnd, identity: () => 1, of: "bool" },
  { op: bitwiseOr.op, reduce: reduceOr, identity: () => 0, of: "bool" },
  { op: bitwiseXor.op, reduce: reduceXor, identity: () => 0 },
];

function edgeOf(dtype: DType, side: 0 | 1): number {
  if (dtype === "bool") return side;
  return isInteger(dtype) ? at(rangeOf(dtype), side) : side === 0 ? -Infinity : Infinity;
}

/** Operands, what they begin with, and the computation on their leaves. */
interface Reduction {
  readonly def: TreeDef;
  readonly leaves: readonly Tensor[];
  readonly starts: readonly Tensor[];
  combine(x: readonly Tensor[], y: readonly Tensor[]): Tensor[];
}

function reductionOf(operands: unknown, initValues: unknown, computation: (x: never, y: never) => unknown): Reduction {
  if (typeof computation !== "function")
    throw new ArgumentError(`reduce: the computation is a function of two values, received ${String(computation)}`);
  const [list, def] = flatten(operands);
  const [inits, initDef] = flatten(initValues);
  if (list.length === 0 || def.text !== initDef.text)
    throw new ArgumentError(
      `reduce: operands of the tree ${def.text} and initial values of ${initDef.text}; one and the same, with an array at least, is needed`,
    );
  const leaves = list.map((leaf) => asTensor(leaf as TensorLike, "reduce")); // asTensor refuses what is no array
  const starts = inits.map((leaf, k) => startOf(asTensor(leaf as TensorLike, "reduce"), at(leaves, k))); // as above
  const first = at(leaves, 0);
  if (leaves.some(({ shape }) => !sameShape(shape, first.shape)))
    throw new ShapeError(
      `reduce: operands of shapes ${leaves.map(({ shape }) => shapeText(shape)).join(", ")}; one shape for all is needed`,
    );
  const combine = (x: readonly Tensor[], y: readonly Tensor[]): Tensor[] => {
    const values = [unflatten(def, x), unflatten(def, y)] as [never, never]; // trees as the operands are
    const [result, resultDef] = flatten(computation(...values));
    if (resultDef.text !== def.text)
      throw new ArgumentError(
        `reduce: the computation gave the tree ${resultDef.text} for ${def.text}; it must give what it takes`,
      );
    return result.map((leaf, k) => sameKind(asTensor(leaf as TensorLike, "reduce"), at(x, k))); // as above
  };
  return { def, leaves, starts, combine };
}

function startOf(init: Tensor, operand: Tensor): Tensor {
  if (init.ndim !== 0)
    throw new ShapeError(`reduce: initial values are single numbers, received shape ${shapeText(init.shape)}`);
  if (init.dtype !== operand.dtype && !init.weak)
    throw new DtypeError(
      `reduce: an initial value of dtype ${init.dtype} for ${operand.dtype}; convert it with astype()`,
    );
  return convert(init, operand.dtype);
}

function sameKind(result: Tensor, like: Tensor): Tensor {
  if (result.dtype !== like.dtype && !result.weak)
    throw new DtypeError(`reduce: the computation made ${result.dtype} of ${like.dtype}; it must keep dtypes`);
  if (!sameShape(result.shape, like.shape) && result.ndim > 0)
    throw new ShapeError(
      `reduce: the computation made shape ${shapeText(result.shape)} of ${shapeText(like.shape)}; it must work element by element`,
    );
  return broadcastTo(convert(result, like.dtype), like.shape);
}

/** x₀ ∘ x₁ ∘ … along the first axis: neighbours with each other, until one is left. */
export function folded(xs: readonly Tensor[], combine: Reduction["combine"]): readonly Tensor[] {
  let values = xs;
  for (let n = at(at(xs, 0).shape, 0); n > 1; n = Math.ceil(n / 2)) {
    const every = (from: number, step: number): Tensor[] =>
      values.map((x) => {
        const rest = x.shape.slice(1);
        const end = step === 1 ? n : n - (n % 2);
        return laxSlice(x, [from, ...rest.map(() => 0)], [end, ...rest], [step, ...rest.map(() => 1)]);
      });
    const pairs = combine(every(0, 2), every(1, 2));
    const last = n % 2 === 0 ? undefined : every(n - 1, 1);
    values = last === undefined ? pairs : pairs.map((x, k) => concatenate([x, at(last, k)]));
  }
  return values.map((x) => squeeze(x, 0));
}

/**
 * The elements over axes combined with each other and with an initial value: `computation(x, y)` of two numbers, or of two trees
 * as `operands` is, must be associative, and the initial value change nothing. It is given whole arrays and works element by
 * element. Sums, products, maxima, minima, and, or, exclusive or have kernels; any other is folded, neighbours first, in log₂ n
 * steps. Source: lax.reduce.
 *
 * @throws ArgumentError when trees differ, ShapeError when shapes do, DtypeError for dtypes that do.
 * @example
 * await reduce(array([1, 2, 3]), 0, add, [0]).item();    // 6
 * await reduce(array([1.5, 2]), 0, hypot, [0]).item(); // 2.5
 */
export function reduce(
  operands: TensorLike,
  initValues: TensorLike,
  computation: (x: Tensor, y: Tensor) => TensorLike,
  dimensions: readonly number[],
): Tensor;
export function reduce<T>(
  operands: T,
  initValues: Scalars<T>,
  computation: (x: T, y: T) => T,
  dimensions: readonly number[],
): T;
export function reduce(
  operands: unknown,
  initValues: unknown,
  computation: (x: never, y: never) => unknown,
  dimensions: readonly number[],
): unknown {
  const reduction = reductionOf(operands, initValues, computation);
  const { leaves, starts, combine, def } = reduction;
  const { shape, ndim } = at(leaves, 0);
  const axes = normalizeAxes("reduce", [...checkList("reduce", "dimensions", dimensions)], ndim);
  const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const extents = kept.map((axis) => at(shape, axis));
  const begin = starts.map((start) => broadcastTo(start, extents));
  const run = (): unknown => {
    const found = leaves.length === 1 ? byKernel(at(leaves, 0), at(starts, 0), computation, axes) : undefined;
    if (found !== undefined) return unflatten(def, found.whole ? [found.value] : combine(begin, [found.value]));
    const count = sizeOf(axes.map((axis) => at(shape, axis)));
    if (count === 0) return unflatten(def, begin);
    const rows = leaves.map((x) => reshape(transpose(x, [...axes, ...kept]), [count, ...extents]));
    return unflatten(def, combine(begin, folded(rows, combine)));
  };
  return inArena("reduce", run, keptStorages);
}

/** What a kernel makes of it, and whether the initial value is known to add nothing. */
function byKernel(
  x: Tensor,
  start: Tensor,
  computation: (x: never, y: never) => unknown,
  axes: readonly number[],
): { value: Tensor; whole: boolean } | undefined {
  // Made for one array, the computation takes arrays.
  const op = soleOp("reduce", computation as (x: Tensor, y: Tensor) => unknown, x.dtype);
  const monoid =
    op === undefined ? undefined : monoids().find((one) => one.op === op && (one.of ?? x.dtype) === x.dtype);
  if (monoid === undefined) return undefined;
  const { payload } = start;
  const whole = payload.kind === "literal" && payload.value === monoid.identity(x.dtype);
  return axes.length === 0 ? { value: x, whole } : { value: monoid.reduce(x, axes), whole };
}
