import { planPlace } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, promote, type DType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { widthOf } from "../lower/space.ts";
import type { KernelOp } from "../op.ts";
import { normalizeAxis, sameShape, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { spreadBatch } from "./batching.ts";
import { convert } from "./convert.ts";
import { asTensors, type TensorLike } from "./create.ts";
import { atleast1d, atleast2d, atleast3d } from "./rank.ts";
import { expandDims, laxSlice, ravel } from "./movement.ts";
import { checkOptions } from "../options.ts";

const JOIN_OPTIONS = { axis: true, dtype: true } as const;
const STACK_OPTIONS = { axis: "number", dtype: true } as const;
const DTYPE_OPTION = { dtype: true } as const;
const APPEND_OPTIONS = { axis: true } as const;

export interface JoinOptions {
  /** The axis to join along, 0 unless told; null flattens the arrays first (concatenate only). */
  readonly axis?: number | null;
  /** The result's dtype; what the arrays promote to unless told. */
  readonly dtype?: DType;
}

interface ConcatenateAttrs {
  readonly axis: number;
}

const concatenateOp: KernelOp<ConcatenateAttrs> = {
  kind: "kernel",
  name: "concatenate",
  moves: true,
  infer: (inputs, { axis }) => {
    const [first] = inputs;
    const total = inputs.reduce((sum, { shape }) => sum + at(shape, axis), 0);
    return {
      shape: first?.shape.map((extent, k) => (k === axis ? total : extent)) ?? [],
      dtype: first?.dtype ?? "float32",
      weak: first?.weak ?? false,
    };
  },
  // Operands are read through a hook, which walks any view.
  accepts: () => true,
  plan: (operands, { axis }, limits) => {
    let offset = 0;
    const lengthOf = (shape: Shape): number => sizeOf(shape.slice(axis));
    const pitch = operands.reduce((sum, { aval }) => sum + lengthOf(aval.shape), 0);
    return operands.flatMap(({ aval: { shape, dtype }, view }, k) => {
      const length = lengthOf(shape);
      const spec = { dtype, rows: sizeOf(shape.slice(0, axis)), length, offset, pitch };
      offset += length;
      const vector = sizeOf(shape) > 0 && widthOf(shape, [{ kind: "load", slot: 0, dtype, view }]) === 4;
      return planPlace({ ...spec, vector }, limits).map((stage) => ({ ...stage, operands: [], loads: k }));
    });
  },
  vjp: ({ inputs, attrs: { axis }, needs }, ct) => {
    let begin = 0;
    return inputs.map(({ shape }, k) => {
      const from = begin;
      begin += at(shape, axis);
      return needs[k] ? sliceAlong(ct, axis, from, begin) : undefined;
    });
  },
  batch: (inputs, batched, { axis }) => bind(concatenateOp, spreadBatch(inputs, batched), { axis: axis + 1 }),
};

/** Elements `from` to `to` of one axis, all of the others. */
export function sliceAlong(x: Tensor, axis: number, from: number, to: number): Tensor {
  return laxSlice(
    x,
    x.shape.map((_, k) => (k === axis ? from : 0)),
    x.shape.map((extent, k) => (k === axis ? to : extent)),
  );
}

/** Arrays as Tensors of one dtype, what they promote to unless told. */
function alike(name: string, arrays: readonly TensorLike[], dtype: DType | undefined): Tensor[] {
  const tensors = asTensors(name, arrays);
  const common = promote(tensors);
  const wanted = dtype === undefined ? common.dtype : checkDType(name, dtype);
  return tensors.map((tensor) => convert(tensor, wanted, dtype === undefined && common.weak));
}

/** Joins along a checked axis of Tensors whose dtypes agree. */
function join(name: string, tensors: readonly Tensor[], axis: number): Tensor {
  const [first, ...others] = tensors;
  if (first === undefined || first.ndim === 0)
    throw new ShapeError(`${name}: arrays without axes cannot be joined; use stack, or give them an axis first`);
  const along = normalizeAxis(name, axis, first.ndim);
  const rest = (shape: Shape): Shape => shape.map((extent, k) => (k === along ? 0 : extent));
  const wrong = others.find((one) => !sameShape(rest(one.shape), rest(first.shape)));
  if (wrong !== undefined)
    throw new ShapeError(
      `${name}: shapes ${shapeText(first.shape)} and ${shapeText(wrong.shape)} differ elsewhere than on axis ${along}; all other extents must be equal`,
    );
  // Empty arrays add nothing, unless all are empty: then their extents still add up.
  const filled = tensors.filter((one) => one.size > 0);
  const [only] = filled;
  if (only !== undefined && filled.length === 1) return only;
  return bind(concatenateOp, filled.length === 0 ? tensors : filled, { axis: along });
}

/**
 * Arrays joined along an axis they have; their dtypes promote. Source: jnp.concatenate, lax.concatenate.
 *
 * @throws ShapeError for no arrays, scalars, or extents that differ elsewhere than on the axis.
 * @example
 * await concatenate([array([[1, 2]]), array([[3, 4], [5, 6]])]).toArray(); // [[1, 2], [3, 4], [5, 6]]
 */
export function concatenate(arrays: readonly TensorLike[], options: JoinOptions = {}): Tensor {
  checkOptions("concatenate", options, JOIN_OPTIONS);
  const tensors = alike("concatenate", arrays, options.dtype);
  if (options.axis === null) return join("concatenate", tensors.map(ravel), 0);
  return join("concatenate", tensors, options.axis ?? 0);
}

/**
 * Arrays of one shape joined along a new axis. Source: jnp.stack.
 *
 * @throws ShapeError for no arrays, or shapes that differ.
 * @example
 * await stack([array([1, 2]), array([3, 4])], { axis: 1 }).toArray(); // [[1, 3], [2, 4]]
 */
export function stack(
  arrays: readonly TensorLike[],
  options: { readonly axis?: number; readonly dtype?: DType } = {},
): Tensor {
  checkOptions("stack", options, STACK_OPTIONS);
  const tensors = alike("stack", arrays, options.dtype);
  const first = at(tensors, 0);
  const wrong = tensors.find((one) => !sameShape(one.shape, first.shape));
  if (wrong !== undefined)
    throw new ShapeError(
      `stack: shapes ${shapeText(first.shape)} and ${shapeText(wrong.shape)} differ; all arrays must have one shape`,
    );
  const axis = normalizeAxis("stack", options.axis ?? 0, first.ndim + 1);
  return join(
    "stack",
    tensors.map((one) => expandDims(one, axis)),
    axis,
  );
}

/**
 * Arrays side by side: along axis 1, or along axis 0 where they have but one. Source: jnp.hstack.
 *
 * @throws ShapeError for no arrays, or extents that do not fit.
 * @example await hstack([array([1, 2]), array([3])]).toArray(); // [1, 2, 3]
 */
export function hstack(arrays: readonly TensorLike[], options: { readonly dtype?: DType } = {}): Tensor {
  checkOptions("hstack", options, DTYPE_OPTION);
  const tensors = alike("hstack", arrays, options.dtype).map((one) => atleast1d(one));
  return join("hstack", tensors, at(tensors, 0).ndim === 1 ? 0 : 1);
}

/**
 * Arrays below each other; those of one axis become rows first. Source: jnp.vstack.
 *
 * @throws ShapeError for no arrays, or extents that do not fit.
 * @example await vstack([array([1, 2]), array([3, 4])]).toArray(); // [[1, 2], [3, 4]]
 */
export function vstack(arrays: readonly TensorLike[], options: { readonly dtype?: DType } = {}): Tensor {
  checkOptions("vstack", options, DTYPE_OPTION);
  return join(
    "vstack",
    alike("vstack", arrays, options.dtype).map((one) => atleast2d(one)),
    0,
  );
}

/**
 * Arrays behind each other, along axis 2, which they are given if they have none. Source: jnp.dstack.
 *
 * @throws ShapeError for no arrays, or extents that do not fit.
 * @example await dstack([array([1, 2]), array([3, 4])]).toArray(); // [[[1, 3], [2, 4]]]
 */
export function dstack(arrays: readonly TensorLike[], options: { readonly dtype?: DType } = {}): Tensor {
  checkOptions("dstack", options, DTYPE_OPTION);
  return join(
    "dstack",
    alike("dstack", arrays, options.dtype).map((one) => atleast3d(one)),
    2,
  );
}

/**
 * Arrays of one axis as the columns of a matrix; matrices side by side. Source: jnp.column_stack.
 *
 * @throws ShapeError for no arrays, or extents that do not fit.
 * @example await columnStack([array([1, 2]), array([3, 4])]).toArray(); // [[1, 3], [2, 4]]
 */
export function columnStack(arrays: readonly TensorLike[]): Tensor {
  const columns = alike("columnStack", arrays, undefined).map((one) =>
    one.ndim < 2 ? expandDims(atleast1d(one), 1) : one,
  );
  return join("columnStack", columns, 1);
}

/**
 * `values` joined to the end of x along an axis; without one, both are flattened first. Source: jnp.append.
 *
 * @throws ShapeError when extents elsewhere than on the axis differ.
 * @example await append(array([1, 2]), array([3])).toArray(); // [1, 2, 3]
 */
export function append(
  x: TensorLike,
  values: TensorLike,
  options: { readonly axis?: number | null | undefined } = {},
): Tensor {
  checkOptions("append", options, APPEND_OPTIONS);
  const tensors = alike("append", [x, values], undefined);
  const axis = options.axis ?? undefined;
  return axis === undefined ? join("append", tensors.map(ravel), 0) : join("append", tensors, axis);
}
