import { asTensor, convert, shapeText, checkOptions } from "@jnx/tensor/internal";
import {
  add,
  arange,
  ArgumentError,
  DtypeError,
  less,
  promote,
  ShapeError,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { scanAs } from "./scan.ts";
import { looped, WHILE_OPTIONS, type WhileOptions } from "./while.ts";

const FORI = { name: "foriLoop", carry: "value", x: "i" } as const;

/**
 * body(i, value) for i = lower, …, upper − 1, starting from init; nothing for upper ≤ lower. With bounds that are JavaScript
 * numbers it is a scan, so that it can be differentiated in both modes. Bounds may be integer scalars on the device, too: then
 * it is a {@link whileLoop}, with its `maxIterations` (1000 unless told) and forward mode only.
 *
 * @throws ArgumentError for bounds that are no whole numbers, DtypeError for arrays that are no integers or differ in dtype,
 * ShapeError for arrays that are no scalars, and as {@link scan} or {@link whileLoop}.
 * Source: lax.fori_loop.
 * @example foriLoop(0, 5, (i: Tensor, x: Tensor) => add(x, i), array(0)); // 10
 */
export function foriLoop<V>(
  lower: TensorLike,
  upper: TensorLike,
  body: (i: Tensor, value: V) => V,
  init: V,
  options: WhileOptions = {},
): V {
  checkOptions("foriLoop", options, WHILE_OPTIONS);
  if (typeof lower === "number" && typeof upper === "number") {
    if (!Number.isInteger(lower) || !Number.isInteger(upper))
      throw new ArgumentError(`foriLoop: the bounds must be whole numbers, received ${lower} and ${upper}`);
    const indices = arange(lower, Math.max(lower, upper), 1, { dtype: "int32" });
    return scanAs(FORI, (value: V, i: Tensor) => [body(i, value), null] as const, init, indices)[0];
  }
  const [first, end] = boundsOf(asTensor(lower, "foriLoop"), asTensor(upper, "foriLoop"));
  return looped<{ i: Tensor; value: V }>(
    "foriLoop",
    ({ i }) => less(i, end),
    ({ i, value }) => ({ i: add(i, 1), value: body(i, value) }),
    { i: first, value: init },
    options,
  ).value;
}

function boundsOf(lower: Tensor, upper: Tensor): readonly [Tensor, Tensor] {
  const flat = [lower, upper].find(({ ndim }) => ndim > 0);
  if (flat !== undefined)
    throw new ShapeError(`foriLoop: the bounds must be scalars, received shape ${shapeText(flat.shape)}`);
  const { dtype } = promote([lower, upper]);
  const whole = dtype === "int32" || dtype === "uint32";
  if (whole && [lower, upper].every((bound) => bound.weak || bound.dtype === dtype))
    return [convert(lower, dtype), convert(upper, dtype)];
  throw new DtypeError(
    `foriLoop: the bounds must be integers of one dtype, received ${lower.dtype} and ${upper.dtype}; convert them with astype()`,
  );
}
