import { ArgumentError, ShapeError } from "../../errors.ts";
import { checkShape, sameShape, shapeText, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { composite } from "../composite.ts";
import { diagonalOfLast } from "../contraction.ts";
import type { TensorLike } from "../create.ts";
import { eigh } from "../eigen.ts";
import { abs, add, lessEqual, mul, sign, sqrt, where } from "../elementwise.ts";
import { cholesky, qr } from "../linalg.ts";
import { matmul } from "../matmul.ts";
import { expandDims, squeeze, swapaxes } from "../movement.ts";
import { max } from "../reduce.ts";
import { svd } from "../svd.ts";
import { draw, normalOp } from "./draw.ts";
import { checkedKey } from "./keys.ts";
import { drawShape, float } from "./shapes.ts";
import { checkOptions } from "../../options.ts";

const MULTIVARIATE_NORMAL_OPTIONS = { shape: true, method: true } as const;
const ORTHOGONAL_OPTIONS = { shape: true, m: "number" } as const;

export interface MultivariateNormalOptions {
  /** The shape without the last axis; that of mean and covariance unless told. */
  readonly shape?: Shape;
  /** How the covariance is factored: "cholesky" unless told, "eigh" or "svd", which take singular ones, too. */
  readonly method?: "cholesky" | "eigh" | "svd";
}

/**
 * Vectors of the given mean [..., n] and covariance [..., n, n]: mean + L z with L Lᵀ = cov. By "cholesky" it must be positive
 * definite, and the draws are NaN where it is not; by "eigh" and "svd" L's columns are vectors of undefined signs, so that
 * draws may differ from JAX's by those. Differentiable by both. Source: jax.random.multivariate_normal.
 *
 * @throws ArgumentError when k is not one key or for an unknown method, ShapeError when shapes do not fit.
 * @example
 * const cov = array([[2, 0.5], [0.5, 1]]);
 * await random.multivariateNormal(random.key(42), array([0, 0]), cov).toArray(); // [-0.040029, 0.42695]
 */
export function multivariateNormal(
  k: TensorLike,
  mean: TensorLike,
  cov: TensorLike,
  options: MultivariateNormalOptions = {},
): Tensor {
  checkOptions("random.multivariateNormal", options, MULTIVARIATE_NORMAL_OPTIONS);
  const source = checkedKey("multivariateNormal", k);
  const [centre, spread] = [float(mean, "random.multivariateNormal"), float(cov, "random.multivariateNormal")];
  const { method = "cholesky" } = options;
  if (!["cholesky", "eigh", "svd"].includes(method))
    throw new ArgumentError(
      `random.multivariateNormal: unknown method ${JSON.stringify(method)}; expected "cholesky", "eigh" or "svd"`,
    );
  const n = centre.shape.at(-1);
  if (n === undefined || !sameShape(spread.shape.slice(-2), [n, n]))
    throw new ShapeError(
      `random.multivariateNormal: mean is [..., n] and cov [..., n, n], received ${shapeText(centre.shape)} and ${shapeText(spread.shape)}`,
    );
  const batch = drawShape("multivariateNormal", options.shape, centre.shape.slice(0, -1), spread.shape.slice(0, -2));
  return composite("multivariateNormal", () => {
    const z = draw(normalOp, source, [...batch, n]);
    return add(centre, squeeze(matmul(factorOf(spread, method), expandDims(z, -1)), -1));
  });
}

/** L with L Lᵀ = cov. */
function factorOf(cov: Tensor, method: "cholesky" | "eigh" | "svd"): Tensor {
  if (method === "cholesky") return cholesky(cov);
  const scaled = (vectors: Tensor, squares: Tensor): Tensor => mul(vectors, sqrt(expandDims(squares, -2)));
  if (method === "svd") {
    const [u, s] = svd(cov);
    return scaled(u, s);
  }
  const [w, v] = eigh(cov);
  // Of a singular covariance rounding makes 0 negative.
  const most = mul(max(abs(w), { axis: -1, keepdims: true }), at(cov.shape, cov.ndim - 1) * 2 ** -23);
  return scaled(v, where(lessEqual(abs(w), most), 0, w));
}

export interface OrthogonalOptions {
  readonly shape?: Shape;
  /** Columns, n unless told: the result then has orthonormal rows or columns, whichever are fewer. */
  readonly m?: number;
}

/**
 * Orthogonal matrices [...shape, n, m], uniformly distributed: q of a normal matrix's q r, with r's diagonal positive.
 * Source: jax.random.orthogonal.
 *
 * @throws ArgumentError when k is not one key, ShapeError when n or m is no whole number ≥ 0.
 * @example
 * (await random.orthogonal(random.key(42), 3)).shape; // [3, 3]
 */
export function orthogonal(k: TensorLike, n: number, options: OrthogonalOptions = {}): Tensor {
  checkOptions("random.orthogonal", options, ORTHOGONAL_OPTIONS);
  const source = checkedKey("orthogonal", k);
  const { shape = [], m = n } = options;
  const full = checkShape("random.orthogonal", [...shape, Math.max(n, m), Math.min(n, m)]);
  return composite("orthogonal", () => {
    const [q, r] = qr(draw(normalOp, source, full));
    const fixed = mul(q, expandDims(sign(diagonalOfLast(r, 0)), -2));
    return n < m ? swapaxes(fixed, -1, -2) : fixed;
  });
}
