import { ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { arange, ones, type TensorLike } from "./create.ts";
import { abs, add, cos, div, maximum, mul, sqrt, square, sub } from "./elementwise.ts";
import { i0 } from "./special.ts";

/** Windows that a signal is multiplied with: m numbers that rise to the middle and fall again. */

function checkCount(name: string, m: number): number {
  if (Number.isInteger(m) && m >= 0) return m;
  throw new ShapeError(`${name}: m is a whole number, 0 or above, received ${String(m)}`);
}

/** f of k / (m − 1) for k < m; 1 for a single one. */
function taper(name: string, m: number, f: (t: Tensor) => Tensor): Tensor {
  if (checkCount(name, m) <= 1) return ones([m]);
  return f(div(arange(m, { dtype: "float32" }), m - 1));
}

const TURN = 2 * Math.PI;

/**
 * Bartlett's triangle: 1 − |2k / (m − 1) − 1|. Source: jnp.bartlett.
 *
 * @throws ShapeError unless m is a whole number.
 * @example await bartlett(5).toArray(); // [0, 0.5, 1, 0.5, 0]
 */
export function bartlett(m: number): Tensor {
  return taper("bartlett", m, (t) => sub(1, abs(sub(mul(2, t), 1))));
}

/**
 * Blackman's window: 0.42 − 0.5 cos 2πt + 0.08 cos 4πt for t = k / (m − 1). Source: jnp.blackman.
 *
 * @throws ShapeError unless m is a whole number.
 * @example blackman(5).shape; // [5]
 */
export function blackman(m: number): Tensor {
  return taper("blackman", m, (t) => add(sub(0.42, mul(0.5, cos(mul(TURN, t)))), mul(0.08, cos(mul(2 * TURN, t)))));
}

/**
 * Hamming's window: 0.54 − 0.46 cos 2πt for t = k / (m − 1). Source: jnp.hamming.
 *
 * @throws ShapeError unless m is a whole number.
 * @example await hamming(3).toArray(); // [0.08, 1, 0.08]
 */
export function hamming(m: number): Tensor {
  return taper("hamming", m, (t) => sub(0.54, mul(0.46, cos(mul(TURN, t)))));
}

/**
 * Von Hann's window: 0.5 − 0.5 cos 2πt for t = k / (m − 1). Source: jnp.hanning.
 *
 * @throws ShapeError unless m is a whole number.
 * @example await hanning(5).toArray(); // [0, 0.5, 1, 0.5, 0]
 */
export function hanning(m: number): Tensor {
  return taper("hanning", m, (t) => mul(0.5, sub(1, cos(mul(TURN, t)))));
}

/**
 * Kaiser's window: I₀(β √(1 − (2t − 1)²)) / I₀(β) for t = k / (m − 1). Differentiable by β. Source: jnp.kaiser.
 *
 * @throws ShapeError unless m is a whole number.
 * @example await kaiser(3, 2).toArray(); // [0.43868, 1, 0.43868]
 */
export function kaiser(m: number, beta: TensorLike): Tensor {
  if (checkCount("kaiser", m) <= 1) return ones([m]);
  const half = (m - 1) / 2;
  const off = div(sub(arange(m, { dtype: "float32" }), half), half);
  return div(i0(mul(beta, sqrt(maximum(sub(1, square(off)), 0)))), i0(beta));
}
