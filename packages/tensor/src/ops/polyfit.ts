import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asFloat } from "./convert.ts";
import { asTensor, full, type TensorLike } from "./create.ts";
import { outer } from "./contraction.ts";
import { div, greater, mul, sqrt, square, where } from "./elementwise.ts";
import { transposed } from "./factorize.ts";
import { inv, lstsq } from "./linalg.ts";
import { matmul } from "./matmul.ts";
import { expandDims } from "./movement.ts";
import { vander } from "./numeric.ts";
import { sum } from "./reduce.ts";

const POLYFIT_OPTIONS = { w: true, rcond: "number", full: "flag", cov: true } as const;
const MOST_DEGREE = 1024;
/** The distance from 1 to the next float32. */
const EPSILON = 2 ** -23;

export interface PolyfitOptions {
  /** A weight for each point: the residuals are multiplied with it before they are squared. */
  readonly w?: TensorLike;
  /** Singular values of the scaled powers below rcond times the largest count as zero: n · 2⁻²³ for n points. */
  readonly rcond?: number;
  /** Whether to give how the fit went, too; false. */
  readonly full?: boolean;
  /** Whether to give the covariance of the coefficients, too: scaled by the residuals, or "unscaled"; false. `full` goes before it. */
  readonly cov?: boolean | "unscaled";
}

type Diagnosed = [coefficients: Tensor, residuals: Tensor, rank: Tensor, singularValues: Tensor, rcond: Tensor];
type WithCovariance = [coefficients: Tensor, covariance: Tensor];

/**
 * The polynomial of degree `deg` that is nearest to the points (x, y) in the least-squares sense, by singular values of the
 * powers, each scaled to length 1; y is [n] or [n, k], a polynomial for each column. Where the points do not determine it, the
 * smallest of the scaled ones. With `full` a list of it, of Σ w² |p(x) − y|² for each column, the rank, the singular values and
 * rcond; with `cov` a list of it and its covariance [deg + 1, deg + 1], or one for each column, last. Source: jnp.polyfit.
 *
 * @throws ShapeError unless x and y fit, ArgumentError unless deg is a whole number, or for a scaled covariance of no more
 * than deg + 1 points.
 * @example await polyfit(array([0, 1, 2]), array([1, 3, 7]), 2).toArray(); // [1, 1, 1]
 */
export function polyfit(
  x: TensorLike,
  y: TensorLike,
  deg: number,
  options: PolyfitOptions & { readonly full: true },
): Diagnosed;
export function polyfit(
  x: TensorLike,
  y: TensorLike,
  deg: number,
  options: PolyfitOptions & { readonly full?: false; readonly cov: true | "unscaled" },
): WithCovariance;
export function polyfit(
  x: TensorLike,
  y: TensorLike,
  deg: number,
  options?: PolyfitOptions & { readonly full?: false; readonly cov?: false },
): Tensor;
export function polyfit(
  x: TensorLike,
  y: TensorLike,
  deg: number,
  options: PolyfitOptions = {},
): Tensor | Diagnosed | WithCovariance {
  checkOptions("polyfit", options, POLYFIT_OPTIONS);
  const { full: isFull = false, cov = false } = options;
  const { points, values, weights } = checked(x, y, deg, options);
  const { rcond = points.size * EPSILON } = options;
  const each = (one: Tensor): Tensor =>
    weights === undefined ? one : mul(one, one.ndim === 1 ? weights : expandDims(weights, 1));
  const powers = each(vander(points, { n: deg + 1 }));
  const size = sqrt(sum(square(powers), { axis: 0 }));
  const scale = where(greater(size, 0), size, 1);
  const scaled = div(powers, scale);
  const [found, residuals, rank, s] = lstsq(scaled, each(values), { rcond });
  const fitted = div(found, found.ndim === 1 ? scale : expandDims(scale, 1));
  if (isFull) return [fitted, residuals, rank, s, full([], rcond, { dtype: "float32" })];
  if (cov === false) return fitted;
  const base = div(inv(matmul(transposed(scaled), scaled)), outer(scale, scale));
  const spread = values.ndim === 1 ? base : expandDims(base, -1);
  if (cov === "unscaled") return [fitted, spread];
  if (points.size <= deg + 1)
    throw new ArgumentError(
      `polyfit: ${points.size} points for degree ${deg} leave nothing to scale the covariance by; give ${deg + 2}, or cov: "unscaled"`,
    );
  return [fitted, mul(spread, div(residuals, points.size - deg - 1))];
}

function checked(
  x: TensorLike,
  y: TensorLike,
  deg: number,
  { w, cov }: PolyfitOptions,
): { readonly points: Tensor; readonly values: Tensor; readonly weights: Tensor | undefined } {
  if (!Number.isInteger(deg) || deg < 0 || deg > MOST_DEGREE)
    throw new ArgumentError(`polyfit: deg is a whole number from 0 to ${MOST_DEGREE}, received ${String(deg)}`);
  if (cov !== undefined && typeof cov !== "boolean" && cov !== "unscaled")
    throw new ArgumentError(`polyfit: cov is true, false or "unscaled", received ${String(cov)}`);
  const [points, values] = [asFloat(asTensor(x, "polyfit")), asFloat(asTensor(y, "polyfit"))];
  const fits = points.ndim === 1 && points.size > 0 && values.ndim >= 1 && values.ndim <= 2;
  if (!fits || at(values.shape, 0) !== points.size)
    throw new ShapeError(
      `polyfit: x of shape ${shapeText(points.shape)} and y of shape ${shapeText(values.shape)}; x is [n], y [n] or [n, k]`,
    );
  const weights = w === undefined ? undefined : asFloat(asTensor(w, "polyfit"));
  if (weights !== undefined && (weights.ndim !== 1 || weights.size !== points.size))
    throw new ShapeError(
      `polyfit: weights of shape ${shapeText(weights.shape)} for ${points.size} points; one for each`,
    );
  return { points, values, weights };
}
