import { ArgumentError, tree } from "@jnx/tensor";
import { setToZero } from "./clipping.ts";
import type { GradientTransformation } from "./transformation.ts";
import { erase, type Mask } from "./transforms.ts";
import { cut, joined } from "./vector.ts";
import { partition, type PartitionState } from "./wrappers.ts";

/**
 * As `chain`, with a name for each transformation, under which the state has what it remembers. Source: optax.named_chain.
 *
 * @throws ArgumentError for a name that comes twice.
 * @example
 * const tx = optax.namedChain(["clip", optax.clip(1)], ["step", optax.scale(-0.5)]);
 * tx.update([array([3, -0.5])], tx.init([array([0, 0])]))[0]; // [[-0.5, 0.25]]
 */
export function namedChain(
  ...parts: readonly (readonly [name: string, transformation: GradientTransformation])[]
): GradientTransformation<Readonly<Record<string, unknown>>> {
  const names = parts.map(([name]) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined)
    throw new ArgumentError(`namedChain: "${twice}" comes twice; give each part a name of its own`);
  return {
    init: (params) => Object.fromEntries(parts.map(([name, one]) => [name, one.init(params)])),
    update: (updates, state, params, extra) => {
      let current = updates;
      const next = parts.map(([name, one]) => {
        const [changed, after] = one.update(current, state[name], params, extra);
        current = changed;
        return [name, after] as const;
      });
      return [current, Object.fromEntries(next)];
    },
  };
}

/**
 * Lets a transformation see all parameters as one vector: fewer and larger kernels, where it treats elements alike. Source:
 * optax.flatten.
 *
 * @example
 * const tx = optax.flatten(optax.adam(0.1));
 * const params = { a: array([1, 2]), b: array([[3.5]]) };
 * tx.update({ a: array([1, -1]), b: array([[1]]) }, tx.init(params))[0].a.shape; // [2]
 */
export function flatten<S>(inner: GradientTransformation<S>): GradientTransformation<S> {
  return {
    init: (params) => inner.init(joined(params)),
    update: (updates, state, params, extra) => {
      const flat = params === undefined ? undefined : joined(params);
      const [changed, next] = inner.update(joined(updates), state, flat, extra);
      return [cut(updates, changed), next];
    },
  };
}

/**
 * An optimizer for the parameters where the mask is false; the others get zeros. Source: optax.selective_transform.
 * @example
 * const tx = optax.selectiveTransform(optax.sgd(1), { freezeMask: { w: false, b: true } });
 * tx.update({ w: array([1]), b: array([1]) }, tx.init({ w: array([0]), b: array([0]) }))[0]; // { w: [-1], b: [0] }
 */
export function selectiveTransform<S>(
  optimizer: GradientTransformation<S>,
  { freezeMask }: { readonly freezeMask: Mask },
): GradientTransformation<PartitionState> {
  const labels = (params: unknown): unknown =>
    tree.map(
      (frozen: boolean) => (frozen ? "freeze" : "train"),
      typeof freezeMask === "function" ? freezeMask(params) : freezeMask,
    );
  return partition({ train: erase(optimizer), freeze: erase(setToZero()) }, labels);
}

/**
 * The transformation itself: here all take extra arguments, and those that need none ignore them. Source:
 * optax.with_extra_args_support.
 * @example optax.withExtraArgsSupport(optax.scale(2)).update([array([1])], {}, undefined, { value: 3 })[0]; // [[2]]
 */
export function withExtraArgsSupport<S>(transformation: GradientTransformation<S>): GradientTransformation<S> {
  return transformation;
}
