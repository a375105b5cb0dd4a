import { bind } from "../dispatch.ts";
import { flatten, unflatten } from "../flatten.ts";
import { isFloat } from "../dtype.ts";
import type { ViewOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { asTensor, isData, type TensorLike } from "./create.ts";
import { only } from "./batching.ts";

const stopOp: ViewOp<undefined> = {
  kind: "view",
  name: "stop_gradient",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  view: (view) => view,
  vjp: () => [undefined],
  jvp: () => undefined,
  batch: ([x]) => bind(stopOp, [only("stop_gradient", x)], undefined),
};

/**
 * x with a derivative of zero: what depends on it is a constant to grad. Of a tree, each of its float arrays.
 * Source: lax.stop_gradient.
 * @example jax.grad((x: Tensor) => mul(x, stopGradient(x)))(3); // 3
 */
export function stopGradient(x: TensorLike): Tensor;
export function stopGradient<T>(x: T): T;
export function stopGradient(x: unknown): unknown {
  const stop = (leaf: TensorLike): Tensor => {
    const tensor = asTensor(leaf, "stopGradient");
    return isFloat(tensor.dtype) ? bind(stopOp, [tensor], undefined) : tensor;
  };
  if (isData(x) || typeof x !== "object") return stop(x as TensorLike); // asTensor refuses what is no array
  const [leaves, def] = flatten(x);
  return unflatten(
    def,
    leaves.map((leaf) => (isData(leaf) ? stop(leaf) : leaf)),
  );
}

const aliasOp: ViewOp<undefined> = {
  ...stopOp,
  name: "alias",
  vjp: (_context, ct) => [ct],
  jvp: (_context, [tangent]) => tangent,
  batch: ([x]) => bind(aliasOp, [only("alias", x)], undefined),
};

/**
 * The same value under a new identity. Tapes know tensors by identity, so a leaf of `grad` must not be the very tensor
 * that the differentiated function also closes over.
 */
export function alias(x: Tensor): Tensor {
  return bind(aliasOp, [x], undefined);
}
