import { convert, inArena, keptStorages, checkOptions } from "@jnx/tensor/internal";
import { ArgumentError, promote, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { close } from "./closed.ts";
import { checkSameTypes, leavesOf, namesOf, treeOf, type TypedTree } from "./trees.ts";
import { bindWhile } from "./while-op.ts";

export const WHILE_OPTIONS = { maxIterations: "number" } as const;

/** Options of `whileLoop`. */
export interface WhileOptions {
  /** How many rounds there may be; going on after the last throws. Default 1000. */
  readonly maxIterations?: number;
}

const MOST_ITERATIONS = 1000;

/**
 * value = bodyFun(value) for as long as condFun(value) holds, starting from `init`, a tree of arrays whose shapes and dtypes
 * stay. condFun gives a bool scalar. Both may close over other arrays.
 *
 * The host never learns how many rounds there were: it queues `maxIterations` of them, each behind a test on the device that
 * skips its kernels once the condition has failed. A skipped round still costs its dispatches' overhead, so give
 * `maxIterations` when you know a smaller bound. If the condition still holds after the last round, the next read of any
 * array throws ArgumentError; nothing computed from the loop should be used then.
 *
 * Differentiable in forward mode alone. Under a `vmap` that gives each example a condition of its own the loop runs until all
 * are done, and those that are keep what they have.
 *
 * @throws ArgumentError when the tree changes, condFun gives no bool scalar or `maxIterations` is no whole number ≥ 0,
 * and, where the result is read, when the loop did not end; ShapeError or DtypeError when the value changes its type;
 * ArgumentError from `grad` and `vjp`.
 * Source: lax.while_loop.
 * @example
 * // the first power of two over a hundred
 * await whileLoop((x: Tensor) => lessEqual(x, 100), (x: Tensor) => mul(x, 2), array(1)).item(); // 128
 */
export function whileLoop<V>(
  condFun: (value: V) => TensorLike,
  bodyFun: (value: V) => V,
  init: V,
  options: WhileOptions = {},
): V {
  checkOptions("whileLoop", options, WHILE_OPTIONS);
  return looped("whileLoop", condFun, bodyFun, init, options);
}

/** `whileLoop` under the name of who calls it. */
export function looped<V>(
  name: string,
  condFun: (value: V) => TensorLike,
  bodyFun: (value: V) => V,
  init: V,
  options: WhileOptions,
): V {
  const { maxIterations = MOST_ITERATIONS } = options;
  if (!Number.isInteger(maxIterations) || maxIterations < 0)
    throw new ArgumentError(`${name}: maxIterations must be a whole number ≥ 0, received ${maxIterations}`);
  // Made here, so that its stack is the user's.
  const error = new ArgumentError(
    `${name}: the condition still held after ${maxIterations} iterations, which is maxIterations; what the loop gave is not the result: raise maxIterations if it does end`,
  );
  const [start, def] = leavesOf(name, init);
  const at = (leaves: readonly Tensor[]): V => tree.unflatten(def, leaves) as V; // the tree of init
  const names = namesOf("the value", init);
  const result = inArena(
    name,
    () => {
      const carry = settled(name, start, (leaves) => bodyFun(at(leaves)), names);
      const test = (inputs: Tensor[]): Tensor => checkedTest(name, condFun(at(inputs.slice(0, carry.length))));
      const body = (inputs: Tensor[]): Tensor[] => {
        const [next, nextDef] = leavesOf(name, bodyFun(at(inputs.slice(0, carry.length))));
        const fitted = next.map((x, k) => fit(x, carry[k]));
        checkCarry(name, { def, avals: carry }, { def: nextDef, avals: fitted });
        return fitted;
      };
      return at(bindWhile({ name, maxIterations, error }, carry, [], test, body, names));
    },
    keptStorages,
  );
  return result;
}

function checkedTest(name: string, value: TensorLike): Tensor {
  const [leaves, def] = leavesOf(name, value);
  const [test] = leaves;
  if (test?.dtype === "bool" && test.ndim === 0 && leaves.length === 1 && def.text === "*") return test;
  throw new ArgumentError(
    `${name}: the condition must give one bool scalar, received ${treeOf({ def, avals: leaves })}; compare, or reduce with all() or any()`,
  );
}

/** JavaScript numbers that a body gives take the type of the carry. */
function fit(x: Tensor, like: Tensor | undefined): Tensor {
  if (like === undefined || !x.weak || x.dtype === like.dtype) return x;
  return promote([x, { dtype: like.dtype, weak: false }]).dtype === like.dtype ? convert(x, like.dtype) : x;
}

/** The first carry in the type that the body gives it: JavaScript numbers adapt. */
function settled(
  name: string,
  start: readonly Tensor[],
  body: (leaves: readonly Tensor[]) => unknown,
  names: readonly string[],
): Tensor[] {
  let carry = [...start];
  for (let round = 0; carry.some(({ weak }) => weak) && round < 3; round++) {
    const next = close(name, carry, (inputs) => leavesOf(name, body(inputs))[0], names).graph.outputs;
    carry = carry.map((x, k) => (x.weak ? convert(x, next[k]?.dtype ?? x.dtype, next[k]?.weak === true) : x));
    if (next.every(({ weak }, k) => weak === carry[k]?.weak)) break;
  }
  return carry.map((x) => convert(x, x.dtype));
}

/** Throws unless a body gives what it was given. */
export function checkCarry(name: string, before: TypedTree, after: TypedTree): void {
  checkSameTypes(
    name,
    "the value must keep its tree, shapes and dtypes",
    { label: "the start", tree: before },
    { label: "the body", tree: after },
  );
}
