import { ShapeError } from "../errors.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { floating } from "./reduce.ts";
import { asTensor, broadcastedIota, type TensorLike } from "./create.ts";
import { equal, mul } from "./elementwise.ts";
import { expandDims } from "./movement.ts";

/** What the functions of jnp.linalg ask of their operands: matrices in the last two axes. */

/** A stack of matrices of floats, square if asked. */
export function matrices(name: string, x: TensorLike, square: boolean): Tensor {
  const tensor = asTensor(x, name);
  if (tensor.ndim < 2 || (square && tensor.shape.at(-1) !== tensor.shape.at(-2)))
    throw new ShapeError(
      `${name}: takes ${square ? "square matrices" : "matrices"} in the last two axes, received shape ${shapeText(tensor.shape)}`,
    );
  return floating(tensor, name);
}

/** Columns of matrices. */
export const sizeOfLast = (x: Tensor): number => at(x.shape, x.ndim - 1);

/** The identity of n rows, float32. */
export function identity(n: number): Tensor {
  return convert(equal(broadcastedIota("int32", [n, n], 0), broadcastedIota("int32", [n, n], 1)), "float32");
}

/** Matrices with x's last axis on their diagonal, zeros elsewhere. */
export function onDiagonal(x: Tensor): Tensor {
  return mul(expandDims(x, -2), identity(sizeOfLast(x)));
}
