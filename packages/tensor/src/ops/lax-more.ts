import { op_mulhi_i, op_mulhi_u, reduced_precision } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, isFloat, isInteger, packedBits, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { checkList, checkShape, normalizeAxis, shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { checkAlike } from "./alike.ts";
import { dotGeneral, type DotOptions } from "./contraction.ts";
import { convert } from "./convert.ts";
import { asTensor, asTensors, broadcastedIota, zeros, type TensorLike } from "./create.ts";
import {
  greaterEqual,
  less,
  logicalAnd,
  mul,
  neg,
  remainder,
  shiftRightArithmetic,
  shiftRightLogical,
  sub,
  where,
} from "./elementwise.ts";
import { binary, together, type BinaryFunction } from "./factories.ts";
import { gather } from "./gather.ts";
import { stack } from "./join.ts";
import { broadcastTo, expandDims, reshape } from "./movement.ts";
import { resolvePadding, resolveSteps, type Padding, type PadPair } from "./padding.ts";
import { cumsum } from "./scan.ts";
import { topK } from "./sorting.ts";
import { split, unstack } from "./split.ts";

/** More of jax.lax: functions whose arguments differ from jnp's, and those that jnp lacks. */

/**
 * x cut along an axis into parts of the given sizes. Moves no data. Source: lax.split.
 *
 * @throws ShapeError unless the sizes add up to the axis' extent.
 * @example lax.split(ones([5]), [2, 3]).map((part) => part.shape); // [[2], [3]]
 */
export function laxSplit(operand: TensorLike, sizes: readonly number[], axis = 0): Tensor[] {
  const tensor = asTensor(operand, "split");
  const along = normalizeAxis("split", axis, tensor.ndim);
  const parts = checkShape("split", sizes);
  const total = parts.reduce((sum, size) => sum + size, 0);
  if (total !== at(tensor.shape, along) || parts.length === 0)
    throw new ShapeError(
      `split: sizes ${shapeText(parts)} add up to ${total}; axis ${along} of ${shapeText(tensor.shape)} has ${at(tensor.shape, along)} elements`,
    );
  let end = 0;
  return split(
    tensor,
    parts.slice(0, -1).map((size) => (end += size)),
    { axis: along },
  );
}

/**
 * Arrays of one shape and dtype side by side along a new axis. Source: lax.stack.
 *
 * @throws ShapeError when shapes differ, DtypeError when dtypes do.
 * @example lax.stack([ones([2]), zeros([2])], 1).shape; // [2, 2]
 */
export function laxStack(operands: readonly TensorLike[], axis = 0): Tensor {
  checkAlike("stack", "any", asTensors("stack", operands));
  return stack(operands, { axis });
}

/**
 * The slices along an axis, without it. Moves no data. Source: lax.unstack.
 *
 * @throws ShapeError for a scalar, or an axis that is out of range.
 * @example lax.unstack(ones([2, 3]), 1).map((one) => one.shape); // [[2], [2], [2]]
 */
export function laxUnstack(x: TensorLike, axis = 0): Tensor[] {
  return unstack(x, { axis });
}

/**
 * An array of zeros: nothing is left uninitialized. Source: lax.empty.
 * @example lax.empty([2, 3], "int32").shape; // [2, 3]
 */
export function laxEmpty(shape: Shape, dtype: DType): Tensor {
  return zeros(shape, { dtype: checkDType("empty", dtype) });
}

/**
 * x broadcast to the shape of another array. Source: lax.broadcast_like.
 *
 * @throws ShapeError when it does not broadcast.
 * @example broadcastLike(array([1, 2]), ones([3, 2])).shape; // [3, 2]
 */
export function broadcastLike(x: TensorLike, like: TensorLike): Tensor {
  return broadcastTo(asTensor(x, "broadcastLike"), asTensor(like, "broadcastLike").shape);
}

/**
 * Slices of src at places (i, j, …), i along the first of `axes`, j along the second, …; places outside wrap round.
 * `idxs` are vectors of one length n, the result is [n, …other axes]. Source: lax.index_take.
 *
 * @throws ShapeError unless there is one vector for each axis, DtypeError unless they hold whole numbers.
 * @example await indexTake(array([[1, 2], [3, 4]]), [array([0, -1]), array([1, 0])], [0, 1]).toArray(); // [2, 3]
 */
export function indexTake(src: TensorLike, idxs: readonly TensorLike[], axes: readonly number[]): Tensor {
  const tensor = asTensor(src, "indexTake");
  const places = asTensors("indexTake", idxs);
  const along = checkList("indexTake", "axes", axes).map((axis) => normalizeAxis("indexTake", axis, tensor.ndim));
  const ascends = along.every((axis, k) => k === 0 || axis > at(along, k - 1));
  if (places.length !== along.length || !ascends || places.some((one) => one.ndim !== 1))
    throw new ShapeError(
      `indexTake: ${places.length} index arrays of shapes ${places.map(({ shape }) => shapeText(shape)).join(", ")} for axes [${along.join(", ")}]; a vector for each axis, the axes ascending`,
    );
  const wrong = places.find(({ dtype }) => !isInteger(dtype) && dtype !== "bool");
  if (wrong !== undefined)
    throw new DtypeError(`indexTake: indices are whole numbers, received ${wrong.dtype}; convert them with astype()`);
  const extents = along.map((axis) => at(tensor.shape, axis));
  const indices = stack(
    places.map((one, k) => remainder(convert(one, "int32"), at(extents, k))),
    { axis: 1 },
  );
  const numbers = {
    offsetDims: Array.from({ length: tensor.ndim - along.length }, (_, k) => k + 1),
    collapsedSliceDims: along,
    startIndexMap: along,
  };
  return gather(
    tensor,
    indices,
    numbers,
    tensor.shape.map((extent, axis) => (along.includes(axis) ? 1 : extent)),
  );
}

const mulhiOp: BinaryFunction = /* @__PURE__ */ binary({
  name: "mulhi",
  wgsl: { int32: op_mulhi_i, uint32: op_mulhi_u },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * The upper half of the product of whole numbers: of 64 bits for 32, of 32 for 16, of 16 for 8. Source: lax.mulhi.
 *
 * @throws DtypeError unless both hold whole numbers, ShapeError when the shapes do not broadcast.
 * @example await mulhi(array([1073741824, -1]), array([8, 2])).toArray(); // [2, -1]
 */
export function mulhi(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = together("mulhi", [asTensor(x, "mulhi"), asTensor(y, "mulhi")], "any");
  const { dtype } = left;
  if (!isInteger(dtype))
    throw new DtypeError(`mulhi: takes whole numbers, received ${dtype}; convert them with astype()`);
  const width = packedBits(dtype);
  if (width === undefined) return mulhiOp(left, right);
  const signed = dtype === "int8" || dtype === "int16";
  const wide = (one: Tensor): Tensor => convert(one, signed ? "int32" : "uint32");
  const product = mul(wide(left), wide(right));
  return convert(signed ? shiftRightArithmetic(product, width) : shiftRightLogical(product, width), dtype, left.weak);
}

interface Bits {
  readonly exponent: number;
  readonly mantissa: number;
}

const FORMATS: Partial<Record<DType, Bits>> = {
  float32: { exponent: 8, mantissa: 23 },
  float16: { exponent: 5, mantissa: 10 },
  bfloat16: { exponent: 8, mantissa: 7 },
};

const reducePrecisionOp: MapOp<Bits> = {
  kind: "map",
  name: "reduce_precision",
  infer: ([x]) => x ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([x = ""], { use, constant }, { exponent, mantissa }) => {
    const shift = 23 - mantissa;
    const reach = 2 ** (exponent - 1) - 1;
    const cut = shift === 0 ? [0, 0, 0] : [shift, 1, 2 ** (shift - 1) - 1];
    const range = exponent === 8 ? [0, 0x7f800000] : [(127 - reach) * 2 ** 23 + 1, (127 + reach) * 2 ** 23];
    const numbers = [...cut, 2 ** 32 - 2 ** shift, ...range];
    return `${use(reduced_precision)}(${[x, ...numbers.map((one) => constant(one, "uint32"))].join(", ")})`;
  },
  vjp: ({ attrs }, ct) => [bind(reducePrecisionOp, [ct], attrs)],
};

/**
 * x as a float of so many bits would hold it: rounded half to even to `mantissaBits`, infinite above what `exponentBits` reach
 * and 0 below (there are no subnormals). The cotangent is reduced alike. Source: lax.reduce_precision.
 *
 * @throws ArgumentError unless exponentBits ≥ 1 and mantissaBits ≥ 0 are whole, DtypeError unless x holds floats.
 * @example await reducePrecision(array([1.2345, 70000]), 5, 10).toArray(); // [1.2344, Infinity]
 */
export function reducePrecision(operand: TensorLike, exponentBits: number, mantissaBits: number): Tensor {
  const x = asTensor(operand, "reducePrecision");
  const own = FORMATS[x.dtype];
  if (own === undefined)
    throw new DtypeError(`reducePrecision: takes floats, received ${x.dtype}; convert it with astype()`);
  if (![exponentBits, mantissaBits].every(Number.isInteger) || exponentBits < 1 || mantissaBits < 0)
    throw new ArgumentError(
      `reducePrecision: ${String(exponentBits)} exponent bits and ${String(mantissaBits)} mantissa bits; whole numbers are needed, the first ≥ 1, the second ≥ 0`,
    );
  // What the dtype holds anyway, its subnormals too, is left as it is.
  const exponent = exponentBits >= own.exponent ? 8 : exponentBits;
  const mantissa = mantissaBits >= own.mantissa ? 23 : mantissaBits;
  return exponent === 8 && mantissa === 23 ? x : bind(reducePrecisionOp, [x], { exponent, mantissa });
}

export interface ApproxOptions {
  /** The axis to search along; the last unless told. */
  readonly reductionDimension?: number;
  /** How many of the true ones are to be found, 0.95 unless told. All are. */
  readonly recallTarget?: number;
  /** The size to reckon recallTarget for; the axis' own unless told. */
  readonly reductionInputSizeOverride?: number;
  /** False allows for unsorted results, and more than k. Here there are k, sorted. */
  readonly aggregateToTopk?: boolean;
}

function approximate(name: string, operand: TensorLike, k: number, options: ApproxOptions): [Tensor, Tensor] {
  checkOptions(name, options, {
    reductionDimension: "number",
    recallTarget: "number",
    reductionInputSizeOverride: "number",
    aggregateToTopk: "flag",
  });
  const x = asTensor(operand, name);
  if (!isFloat(x.dtype)) throw new DtypeError(`${name}: takes floats, received ${x.dtype}; convert it with astype()`);
  const { reductionDimension = -1, recallTarget = 0.95 } = options;
  if (!(recallTarget > 0 && recallTarget <= 1))
    throw new ArgumentError(`${name}: recallTarget is above 0 and at most 1, received ${String(recallTarget)}`);
  return topK(x, k, { axis: reductionDimension });
}

/**
 * The k largest elements along an axis and where they are. JAX may miss some of them; here the answer is topK's, exact and
 * sorted. Source: lax.approx_max_k.
 *
 * @throws DtypeError unless x holds floats, ArgumentError unless 0 ≤ k ≤ the extent.
 * @example await approxMaxK(array([1.5, 9, 5]), 2)[1].toArray(); // [1, 2]
 */
export function approxMaxK(operand: TensorLike, k: number, options: ApproxOptions = {}): [Tensor, Tensor] {
  return approximate("approxMaxK", operand, k, options);
}

/**
 * The k least elements along an axis, the least first, and where they are; exact, as approxMaxK. Source: lax.approx_min_k.
 *
 * @throws DtypeError unless x holds floats, ArgumentError unless 0 ≤ k ≤ the extent.
 * @example await approxMinK(array([1.5, 9, 5]), 2)[0].toArray(); // [1.5, 5]
 */
export function approxMinK(operand: TensorLike, k: number, options: ApproxOptions = {}): [Tensor, Tensor] {
  const x = asTensor(operand, "approxMinK");
  const [values, places] = approximate("approxMinK", isFloat(x.dtype) ? neg(x) : x, k, options);
  return [neg(values), places];
}

/**
 * Rows of lhs [m, k] multiplied with the matrices of rhs [g, k, n], group by group: the first groupSizes[0] rows with rhs[0],
 * the next groupSizes[1] with rhs[1], …; rows after the last group are 0. Takes as much work as g products of all rows, as JAX's
 * on CPUs. Source: lax.ragged_dot.
 *
 * @throws ShapeError when shapes do not fit, DtypeError unless the sizes are whole numbers.
 * @example await raggedDot(array([[1, 2], [3, 4]]), array([[[1], [1]], [[2], [0.5]]]), array([1, 1])).toArray(); // [[3], [8]]
 */
export function raggedDot(lhs: TensorLike, rhs: TensorLike, groupSizes: TensorLike, options: DotOptions = {}): Tensor {
  checkOptions("raggedDot", options, { precision: true, preferredElementType: true });
  const [rows, matrices, sizes] = [
    asTensor(lhs, "raggedDot"),
    asTensor(rhs, "raggedDot"),
    asTensor(groupSizes, "raggedDot"),
  ];
  const [groups = 0, inner = 0, columns = 0] = matrices.shape;
  const fits = rows.ndim === 2 && matrices.ndim === 3 && sizes.ndim === 1;
  if (!fits || rows.shape[1] !== inner || sizes.shape[0] !== groups)
    throw new ShapeError(
      `raggedDot: shapes ${[rows, matrices, sizes].map(({ shape }) => shapeText(shape)).join(", ")}; [m, k], [g, k, n] and [g] are needed`,
    );
  if (!isInteger(sizes.dtype))
    throw new DtypeError(
      `raggedDot: groupSizes are whole numbers, received ${sizes.dtype}; convert them with astype()`,
    );
  const ends = cumsum(convert(sizes, "int32"));
  const row = broadcastedIota("int32", [at(rows.shape, 0), groups], 0);
  const own = logicalAnd(less(row, ends), greaterEqual(row, sub(ends, convert(sizes, "int32"))));
  // One product: each row beside zeros in the places of the other groups.
  const spread = where(expandDims(own, -1), expandDims(rows, 1), 0);
  const left = reshape(spread, [at(rows.shape, 0), groups * inner]);
  return dotGeneral(
    left,
    reshape(matrices, [groups * inner, columns]),
    [
      [[1], [0]],
      [[], []],
    ],
    options,
  );
}

/**
 * Padding by its name as pairs [low, high], one for each axis. Source: lax.padtype_to_pads.
 *
 * @throws ArgumentError for an unknown name, ShapeError unless there are as many extents of the window and strides.
 * @example padtypeToPads([5], [2], [2], "SAME"); // [[0, 1]]
 */
export function padtypeToPads(
  inShape: Shape,
  windowShape: Shape,
  windowStrides: readonly number[],
  padding: Exclude<Padding, readonly PadPair[]>,
): PadPair[] {
  const extents = checkShape("padtypeToPads", inShape);
  if (typeof padding !== "string")
    throw new ArgumentError(`padtypeToPads: padding is "SAME", "SAME_LOWER" or "VALID", received ${String(padding)}`);
  const window = resolveSteps("padtypeToPads", "windowShape", windowShape, extents.length);
  const strides = resolveSteps("padtypeToPads", "windowStrides", windowStrides, extents.length);
  return [...resolvePadding("padtypeToPads", padding, extents, window, strides)];
}
