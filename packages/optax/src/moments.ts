import {
  add,
  ArgumentError,
  astype,
  div,
  floatPower,
  fullLike,
  mul,
  square,
  sub,
  tree,
  zeros,
  zerosLike,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { safeIncrement } from "./transforms.ts";
import type { GradientTransformation } from "./transformation.ts";

/** A fresh int32 counter. */
export function zeroCount(): Tensor {
  return zeros([], { dtype: "int32" });
}

/** Zeros, or one number, like the leaves of a tree; in a dtype of their own where one is given. */
export function treeFull<T>(params: T, value = 0, dtype?: DType): T {
  const like = dtype === undefined ? {} : { dtype };
  return tree.map((p: TensorLike) => (value === 0 ? zerosLike(p, like) : fullLike(p, value, like)), params);
}

/** What is stored in the dtype asked for; as it is unless one is. */
export function stored<T>(values: T, dtype: DType | undefined): T {
  return dtype === undefined ? values : tree.map((x: TensorLike) => astype(x, dtype), values);
}

/** 1 − decay: of a number in the host's precision. */
function rest(decay: TensorLike): TensorLike {
  return typeof decay === "number" ? 1 - decay : sub(1, decay);
}

/** (1 − decay)·g + decay·m, leaf by leaf. */
export function moment<T>(updates: T, moments: unknown, decay: TensorLike): T {
  return tree.map((g: Tensor, m: TensorLike) => add(mul(rest(decay), g), mul(decay, m)), updates, moments);
}

/** (1 − decay)·g² + decay·m, leaf by leaf. */
export function secondMoment<T>(updates: T, moments: unknown, decay: TensorLike): T {
  return tree.map((g: Tensor, m: TensorLike) => add(mul(rest(decay), square(g)), mul(decay, m)), updates, moments);
}

/** m / (1 − decayᵗ), leaf by leaf, for moments that started at zero. */
export function unbiased<T>(moments: T, decay: number, count: TensorLike): T {
  const factor = sub(1, floatPower(decay, count));
  return tree.map((m: Tensor) => div(m, factor), moments);
}

/** The mean of gradients with Nesterov's look-ahead: b1·m̂ₜ₊₁ + (1 − b1)·ĝₜ. */
export function nesterovMoment<T>(updates: T, mu: T, b1: number, count: Tensor): T {
  return tree.map(
    (m: Tensor, g: Tensor) => add(mul(b1, m), mul(1 - b1, g)),
    unbiased(mu, b1, safeIncrement(count)),
    unbiased(updates, b1, count),
  );
}

/** The parameters, which a transformation needs and a caller may have left out. */
export function needed<T>(name: string, params: T | undefined): T {
  if (params !== undefined) return params;
  throw new ArgumentError(`${name}: needs the parameters; call update(updates, state, params)`);
}

/** A transformation whose leaves are handled one by one: f(g, p) of update and parameter. */
export function perLeafWithParams(
  name: string,
  f: (g: Tensor, p: TensorLike) => Tensor,
): GradientTransformation<Readonly<Record<string, never>>> {
  return {
    init: () => ({}),
    update: (updates, state, params) => [tree.map(f, updates, needed(name, params)), state],
  };
}
