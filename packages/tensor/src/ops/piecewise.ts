import { ArgumentError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { where } from "./elementwise.ts";
import { broadcastTo } from "./movement.ts";

/** A function of the elements, or the number that it would give. */
export type Piece = ((x: Tensor) => Tensor) | number;

/**
 * For each element the function whose condition is true, the last of several; 0, or the function after the conditions', where
 * none is. All functions see all of x. Source: jnp.piecewise.
 *
 * @throws ArgumentError unless there are as many functions as conditions or one more, ShapeError unless conditions fit x.
 * @example await piecewise(array([-2, 3]), [array([true, false])], [neg, 7]).toArray(); // [2, 7]
 */
export function piecewise(x: TensorLike, conditions: readonly TensorLike[], pieces: readonly Piece[]): Tensor {
  if (!Array.isArray(conditions) || !Array.isArray(pieces))
    throw new ArgumentError("piecewise: conditions and functions go in lists such as [less(x, 0)] and [neg, 1]");
  const more = pieces.length - conditions.length;
  if (conditions.length === 0 || (more !== 0 && more !== 1))
    throw new ArgumentError(
      `piecewise: ${pieces.length} functions for ${conditions.length} conditions; one for each, and one more for the rest`,
    );
  const tensor = asTensor(x, "piecewise");
  const valueOf = (piece: Piece): Tensor => {
    if (typeof piece !== "function" && typeof piece !== "number")
      throw new ArgumentError(`piecewise: expected functions and numbers, received ${String(piece)}`);
    return broadcastTo(
      convert(asTensor(typeof piece === "function" ? piece(tensor) : piece, "piecewise"), tensor.dtype),
      tensor.shape,
    );
  };
  const rest = more === 1 ? pieces[pieces.length - 1] : 0;
  return conditions.reduce<Tensor>(
    (result, condition, k) => where(condition, valueOf(pieces[k] ?? 0), result),
    valueOf(rest ?? 0),
  );
}
