import { checkDType, isInteger, type DType } from "../../dtype.ts";
import { DtypeError, ShapeError } from "../../errors.ts";
import { broadcastShapes, checkShape, sameShape, shapeText, type Shape } from "../../shape.ts";
import { checkOptions } from "../../options.ts";
import type { Tensor } from "../../tensor.ts";
import { convert } from "../convert.ts";
import { asTensor, type TensorLike } from "../create.ts";
import { broadcastTo } from "../movement.ts";

/**
 * The shape of a draw: the one asked for, with which the parameters must broadcast without making it larger, or else
 * the parameters' own.
 *
 * @throws ShapeError naming the sampler and both shapes.
 */
export function drawShape(name: string, shape: Shape | undefined, ...parameters: readonly Shape[]): Shape {
  const op = `random.${name}`;
  if (shape === undefined) return broadcastShapes(op, ...parameters, []);
  const asked = checkShape(op, shape);
  const full = broadcastShapes(op, asked, ...parameters);
  if (!sameShape(full, asked))
    throw new ShapeError(
      `${op}: the parameters' shape ${shapeText(broadcastShapes(op, ...parameters))} does not broadcast to the shape ${shapeText(asked)} that was asked for; leave the shape out, or end it with theirs`,
    );
  return asked;
}

/** A parameter as float32. */
export function float(x: TensorLike, name: string): Tensor {
  return convert(asTensor(x, name), "float32");
}

/** A parameter as float32, repeated over the draw. */
export function spread(x: Tensor, shape: Shape): Tensor {
  return broadcastTo(convert(x, "float32"), shape);
}

/** Options of samplers of whole numbers. */
export interface CountOptions {
  /** Of integers; int32 unless told. */
  readonly dtype?: DType;
}

const COUNT_OPTIONS = { dtype: true } as const;

/**
 * The dtype of whole numbers that was asked for.
 *
 * @throws DtypeError for one that is not of integers.
 */
export function countDType(name: string, options: CountOptions): DType {
  checkOptions(`random.${name}`, options, COUNT_OPTIONS);
  const { dtype = "int32" } = options;
  if (!isInteger(checkDType(`random.${name}`, dtype)))
    throw new DtypeError(`random.${name}: the dtype must be one of integers, received ${dtype}`);
  return dtype;
}

/** A draw in the dtype that was asked for. */
export function as(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : convert(x, dtype);
}
