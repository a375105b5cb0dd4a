import { ShapeError } from "../errors.ts";
import { broadcastShapes, normalizeAxis, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { array, asTensor, type TensorLike } from "./create.ts";
import { mul, sub } from "./elementwise.ts";
import { take } from "./indexing.ts";
import { broadcastTo, laxSlice, moveaxis, squeeze } from "./movement.ts";
import { pad } from "./pad.ts";
import { checkOptions } from "../options.ts";

const CROSS_OPTIONS = { axisa: "number", axisb: "number", axisc: "number", axis: "number" } as const;

export interface CrossOptions {
  /** Where the vectors lie in x, in y and in the result; last unless told. */
  readonly axisa?: number;
  readonly axisb?: number;
  readonly axisc?: number;
  /** All three at once. */
  readonly axis?: number;
}

/**
 * The cross product of vectors of 3 (or 2, then the third is 0) along an axis, the others broadcast; of two vectors of
 * 2, only the third component, without that axis. Source: jnp.cross.
 *
 * @throws ShapeError when vectors have other lengths than 2 or 3, or the other axes do not broadcast.
 * @example await cross(array([1, 0, 0]), array([0, 1, 0])).toArray(); // [0, 0, 1]
 */
export function cross(x: TensorLike, y: TensorLike, options: CrossOptions = {}): Tensor {
  checkOptions("cross", options, CROSS_OPTIONS);
  const { axis, axisa = axis ?? -1, axisb = axis ?? -1, axisc = axis ?? -1 } = options;
  const a = vectors(asTensor(x, "cross"), axisa);
  const b = vectors(asTensor(y, "cross"), axisb);
  const flat = a.shape.at(-1) === 2 && b.shape.at(-1) === 2;
  const [left, right] = flat ? [a, b] : [spatial(a), spatial(b)];
  const shape = broadcastShapes("cross", left.shape, right.shape);
  const [u, v] = [broadcastTo(left, shape), broadcastTo(right, shape)];
  if (flat)
    return squeeze(sub(mul(component(u, 0), component(v, 1)), mul(component(u, 1), component(v, 0))), u.ndim - 1);
  // (u₁v₂ − u₂v₁, u₂v₀ − u₀v₂, u₀v₁ − u₁v₀)
  const turned = (one: Tensor, places: number[]): Tensor => take(one, array(places), { axis: one.ndim - 1 });
  const [next, after] = [
    [1, 2, 0],
    [2, 0, 1],
  ];
  const result = composite("cross", () =>
    sub(mul(turned(u, next), turned(v, after)), mul(turned(u, after), turned(v, next))),
  );
  return moveaxis(result, -1, normalizeAxis("cross", axisc, result.ndim));
}

function vectors(x: Tensor, axis: number): Tensor {
  const place = normalizeAxis("cross", axis, x.ndim);
  if (x.shape[place] !== 2 && x.shape[place] !== 3)
    throw new ShapeError(
      `cross: vectors have 2 or 3 components, received shape ${shapeText(x.shape)} with vectors along axis ${place}`,
    );
  return moveaxis(x, place, -1);
}

function spatial(x: Tensor): Tensor {
  if (x.shape.at(-1) === 3) return x;
  return pad(
    x,
    0,
    x.shape.map((_, k) => (k === x.ndim - 1 ? ([0, 1, 0] as const) : ([0, 0, 0] as const))),
  );
}

function component(x: Tensor, k: number): Tensor {
  const lead = x.shape.slice(0, -1);
  return laxSlice(x, [...lead.map(() => 0), k], [...lead, k + 1]);
}
