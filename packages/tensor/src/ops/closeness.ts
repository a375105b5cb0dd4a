import { isFloat, promote } from "../dtype.ts";
import { broadcastShapes, sameShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { abs, add, equal, isfinite, isnan, lessEqual, logicalAnd, logicalOr, mul, sub } from "./elementwise.ts";
import { all } from "./reduce.ts";
import { checkOptions } from "../options.ts";

const CLOSE_OPTIONS = { rtol: "number", atol: "number", equalNan: "flag" } as const;
const ARRAY_EQUAL_OPTIONS = { equalNan: "flag" } as const;

export interface CloseOptions {
  /** Relative to |y|; 1e-5 unless told. */
  readonly rtol?: number;
  /** Absolute; 1e-8 unless told. */
  readonly atol?: number;
  /** True if NaN is close to NaN. */
  readonly equalNan?: boolean;
}

/**
 * True where |x − y| ≤ atol + rtol·|y|, or both are the same infinity. Source: jnp.isclose.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await isclose(array([1, 2]), array([1.000001, 2.1])).toArray(); // [1, 0]
 */
export function isclose(x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor {
  checkOptions("isclose", options, CLOSE_OPTIONS);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  const [a, b] = [float(x, "isclose"), float(y, "isclose")];
  broadcastShapes("isclose", a.shape, b.shape);
  return composite("isclose", () => {
    const near = logicalAnd(isfinite(b), lessEqual(abs(sub(a, b)), add(atol, mul(rtol, abs(b)))));
    const close = logicalOr(equal(a, b), near);
    return equalNan ? logicalOr(close, logicalAnd(isnan(a), isnan(b))) : close;
  });
}

function float(x: TensorLike, name: string): Tensor {
  const tensor = asTensor(x, name);
  return convert(tensor, "float32", tensor.weak);
}

/**
 * True if isclose holds for every pair of elements. Source: jnp.allclose.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await allclose(array([1, 2]), array([1.000001, 2])).item(); // 1
 */
export function allclose(x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor {
  checkOptions("allclose", options, CLOSE_OPTIONS);
  return all(isclose(asTensor(x, "allclose"), asTensor(y, "allclose"), options));
}

/**
 * True if both have one shape and equal elements. Source: jnp.array_equal.
 * @example await arrayEqual(array([1, 2]), array([1, 2])).item(); // 1
 */
export function arrayEqual(x: TensorLike, y: TensorLike, options: { readonly equalNan?: boolean } = {}): Tensor {
  checkOptions("arrayEqual", options, ARRAY_EQUAL_OPTIONS);
  const [a, b] = [asTensor(x, "arrayEqual"), asTensor(y, "arrayEqual")];
  if (!sameShape(a.shape, b.shape)) return literal(0, [], "bool");
  const same = equal(a, b);
  if (options.equalNan !== true || !isFloat(promote([a, b]).dtype)) return all(same);
  return all(logicalOr(same, logicalAnd(isnan(a), isnan(b))));
}

/**
 * True if both broadcast to one shape, with equal elements there. Source: jnp.array_equiv.
 * @example await arrayEquiv(array([2, 2]), 2).item(); // 1
 */
export function arrayEquiv(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [asTensor(x, "arrayEquiv"), asTensor(y, "arrayEquiv")];
  return fits(a.shape, b.shape) ? all(equal(a, b)) : literal(0, [], "bool");
}

function fits(a: Shape, b: Shape): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return short.every((extent, k) => {
    const other = long[k + long.length - short.length];
    return extent === other || extent === 1 || other === 1;
  });
}
