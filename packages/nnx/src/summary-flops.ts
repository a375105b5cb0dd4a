import { add, mul, stopGradient, sum, Tensor, tree, zeros } from "@jnx/tensor";
import { isFloat } from "@jnx/tensor/internal";
import type { Module } from "./module.ts";
import { nodeClass } from "./node.ts";
import { state } from "./graph.ts";
import { toFlatState } from "./state.ts";
import { grad } from "./transforms/grad.ts";
import { jit } from "./transforms/jit.ts";
import { Param } from "./variable-types.ts";

/** A module's method with what it was called with. */
export interface MethodCall {
  readonly module: Module;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Arguments to trace again with: arrays of zeros like those that were seen, which may be symbols of an older trace. */
export function likeSeen(args: readonly unknown[]): unknown[] {
  const again = (leaf: unknown): unknown => (leaf instanceof Tensor ? zeros(leaf.shape, { dtype: leaf.dtype }) : leaf);
  const [leaves, def] = tree.flatten(args, (one) => nodeClass(one) !== undefined);
  return tree.unflatten(def, leaves.map(again)) as unknown[]; // the same list
}

function call(method: string): (module: Module, ...args: unknown[]) => unknown {
  // Reflect gives any; the method was found by its name before.
  return (module, ...args) => Reflect.apply(Reflect.get(module, method), module, args) as unknown;
}

/** Additions and multiplications of a call. */
export function forwardFlops({ module, method, args }: MethodCall): number {
  return jit(call(method)).explain(module, ...args).flops;
}

function floats(value: unknown): Tensor[] {
  return tree
    .leaves(value, (one) => nodeClass(one) !== undefined)
    .filter((leaf): leaf is Tensor => leaf instanceof Tensor && isFloat(leaf.dtype));
}

/** Those of a call and of its gradients by Params and float arguments, with the outputs as cotangents. */
export function backwardFlops({ module, method, args }: MethodCall): number {
  const run = call(method);
  const loss = (net: Module, ...given: unknown[]): Tensor =>
    floats(run(net, ...given))
      .map((y) => sum(mul(y, stopGradient(y))))
      .reduce((a, b) => add(a, b), zeros([]));
  const inputs = args.flatMap((arg, k) => (arg instanceof Tensor && isFloat(arg.dtype) ? [k + 1] : []));
  const argnums = [...(toFlatState(state(module, Param)).length > 0 ? [0] : []), ...inputs];
  if (argnums.length === 0) return forwardFlops({ module, method, args });
  return jit(grad(loss, { argnums })).explain(module, ...args).flops;
}
