import { promote, type DType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { abs, clip, div, mul, sqrt, sub } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { matmul } from "./matmul.ts";
import { floatResult } from "./moments.ts";
import { broadcastTo, expandDims, reshape, squeeze, transpose } from "./movement.ts";
import { atleast2d } from "./rank.ts";
import { floating, sum } from "./reduce.ts";
import { averaged } from "./statistics.ts";
import { diagonal } from "./triangle.ts";

const COVARIANCE_OPTIONS = {
  y: true,
  rowvar: "flag",
  bias: "flag",
  ddof: "number",
  fweights: true,
  aweights: true,
  dtype: true,
} as const;
const CORRCOEF_OPTIONS = { y: true, rowvar: "flag", dtype: true } as const;

export interface CovarianceOptions {
  /** A second set of variables, below the first. */
  readonly y?: TensorLike;
  /** Whether rows are the variables (true unless told), or columns. */
  readonly rowvar?: boolean;
  /** Divides by the number of observations instead of one less. */
  readonly bias?: boolean;
  /** Taken off the number of observations. */
  readonly ddof?: number;
  /** How often each observation counts, whole numbers. */
  readonly fweights?: TensorLike;
  /** What each observation counts for. */
  readonly aweights?: TensorLike;
  /** Of the result, and of what it is made from: one of floats. */
  readonly dtype?: DType;
}

/**
 * The covariance matrix of variables (rows) over observations (columns). Source: jnp.cov.
 *
 * @throws ShapeError for more than two axes, or weights that do not fit, DtypeError for a dtype of no floats.
 * @example await cov(array([[1, 2, 3], [3, 2, 1]])).toArray(); // [[1, -1], [-1, 1]]
 */
export function cov(m: TensorLike, options: CovarianceOptions = {}): Tensor {
  checkOptions("cov", options, COVARIANCE_OPTIONS);
  const first = floating(m, "cov");
  const { rowvar = true, bias = false } = options;
  const ddof = options.ddof ?? (bias ? 0 : 1);
  const rows = variables(first, !rowvar && first.ndim !== 1);
  const second =
    options.y === undefined
      ? []
      : [floating(options.y, "cov")].map((y) => variables(y, !rowvar && atleast2d(y).shape[0] !== 1));
  const joined = second.length === 0 ? rows : concatenate([rows, ...second]);
  const x = convert(joined, floatResult("cov", options.dtype) ?? joined.dtype);
  const count = at(x.shape, 1);
  const weights = weightsOf(options, count);
  return composite("cov", () => {
    const whole = weights === undefined ? undefined : broadcastTo(weights, x.shape);
    const [middle, total] = averaged("cov", x, {
      axis: 1,
      keepdims: true,
      ...(whole === undefined ? {} : { weights: whole }),
    });
    const centred = sub(x, middle);
    const observations = reshape(sliceAlong(total, 0, 0, 1), []);
    const corrected =
      options.aweights === undefined || weights === undefined
        ? ddof
        : div(mul(sum(mul(weights, abs(floating(options.aweights, "cov")))), ddof), observations);
    const product = matmul(centred, transpose(weights === undefined ? centred : mul(centred, weights)));
    const found = div(product, ddof === 0 ? observations : sub(observations, corrected));
    const { dtype } = options.aweights === undefined ? x : promote([x, floating(options.aweights, "cov")]);
    return convert(squeeze(found), dtype);
  });
}

function variables(x: Tensor, columns: boolean): Tensor {
  if (x.ndim > 2) throw new ShapeError(`cov: needs two axes at most, received shape ${shapeText(x.shape)}`);
  return columns ? transpose(atleast2d(x)) : atleast2d(x);
}

function weightsOf({ fweights, aweights }: CovarianceOptions, count: number): Tensor | undefined {
  const given = [fweights, aweights].flatMap((one) => (one === undefined ? [] : [abs(floating(one, "cov"))]));
  const wrong = given.find(({ shape }) => !sameShape(shape, [count]));
  if (wrong !== undefined)
    throw new ShapeError(
      `cov: weights of shape ${shapeText(wrong.shape)} for ${count} observations; one for each is needed`,
    );
  const [one, other] = given;
  return one === undefined || other === undefined ? one : mul(one, other);
}

/**
 * The correlation matrix of variables (rows) over observations (columns). Source: jnp.corrcoef.
 *
 * @throws ShapeError for more than two axes.
 * @example await corrcoef(array([[1, 2, 3], [3, 2, 1]])).toArray(); // [[1, -1], [-1, 1]]
 */
export function corrcoef(x: TensorLike, options: Pick<CovarianceOptions, "y" | "rowvar" | "dtype"> = {}): Tensor {
  checkOptions("corrcoef", options, CORRCOEF_OPTIONS);
  return composite("corrcoef", () => {
    const c = cov(asTensor(x, "corrcoef"), options);
    if (c.ndim === 0) return div(c, c);
    const spread = sqrt(diagonal(c));
    return clip(div(div(c, expandDims(spread, 1)), expandDims(spread, 0)), -1, 1);
  });
}
