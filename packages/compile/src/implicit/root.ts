import { batchedCall, checkFunction, transposeMany, zeroOf } from "@jnx/autodiff/internal";
import {
  bindCall,
  checkOptions,
  inArena,
  isFloat,
  keptStorages,
  type AnyFunction,
  type CallOp,
} from "@jnx/tensor/internal";
import { DtypeError, neg, tree, type Tensor } from "@jnx/tensor";
import { close, closeTogether, evaluateNodes, type Closable } from "../control/closed.ts";
import { leavesOf } from "../control/trees.ts";
import type { Graph } from "../graph.ts";
import { likeUnknowns, pulledThrough, pushedThrough, splitSolution, unknownsOf, type Unknowns } from "./parts.ts";

const NAME = "customRoot";

/** Options of `customRoot`. */
export interface RootOptions {
  /** True if `solve` returns `[x, aux]`: aux is handed out beside x, undifferentiated. Default false. */
  readonly hasAux?: boolean;
}

/**
 * solve(f, initialGuess), taken to be an x with f(x) = 0 whatever the solver does on its way. Its derivative with respect to
 * what f closes over comes of that equation, ∂f/∂x ẋ = −ḟ, in both modes and any order; the guess has none. The guess is a
 * tree of floats, and x and f's results are like it. `tangentSolve(g, y)` gives the v with g(v) = y for the linear function
 * g = ∂f/∂x at the root: (g, y) => y / g(1) for a scalar, (g, y) => linalg.solve(jacobian(g)(y), y) for a vector. Works under
 * jit and vmap.
 *
 * @throws ArgumentError, ShapeError or DtypeError when what a function gives is not like the guess, DtypeError for a guess that
 * is not float.
 * Source: lax.custom_root.
 * @example
 * // √a by Newton's method, differentiated without looking at the method
 * const newton = (f: (x: Tensor) => Tensor, x: Tensor) =>
 *   foriLoop(0, 8, (_i: Tensor, at: Tensor) => sub(at, div(f(at), mul(2, at))), x);
 * const root = (a: Tensor) =>
 *   customRoot((x: Tensor) => sub(square(x), a), array(1.5), newton, (g, y) => div(y, g(onesLike(y))));
 * await root(array(6.25)).item(); // 2.5
 * await grad(root)(array(6.25)).item(); // 0.2
 */
export function customRoot<T, X>(
  f: (x: T) => T,
  initialGuess: T,
  solve: (f: (x: T) => T, initialGuess: T) => readonly [T, X],
  tangentSolve: (g: (v: T) => T, y: T) => T,
  options: RootOptions & { readonly hasAux: true },
): [T, X];
export function customRoot<T>(
  f: (x: T) => T,
  initialGuess: T,
  solve: (f: (x: T) => T, initialGuess: T) => T,
  tangentSolve: (g: (v: T) => T, y: T) => T,
  options?: RootOptions,
): T;
export function customRoot(
  f: AnyFunction,
  initialGuess: unknown,
  solve: AnyFunction,
  tangentSolve: AnyFunction,
  options: RootOptions = {},
): unknown {
  checkOptions(NAME, options, { hasAux: "flag" });
  for (const given of [f, solve, tangentSolve]) checkFunction(NAME, given);
  const { hasAux = false } = options;
  return inArena(
    NAME,
    () => {
      const guess = unknownsOf(NAME, initialGuess);
      const other = guess.leaves.find(({ dtype }) => !isFloat(dtype));
      if (other !== undefined)
        throw new DtypeError(`${NAME}: the guess must be float, received ${other.dtype}; convert it with astype()`);
      return rooted({ f, solve, tangentSolve }, guess, hasAux);
    },
    keptStorages,
  );
}

interface Given {
  readonly f: AnyFunction;
  readonly solve: AnyFunction;
  readonly tangentSolve: AnyFunction;
}

function rooted({ f, solve, tangentSolve }: Given, guess: Unknowns, hasAux: boolean): unknown {
  const { leaves, def } = guess;
  const count = leaves.length;
  const like = (label: string, given: unknown): Tensor[] => likeUnknowns(NAME, label, "the guess", given, guess);
  let auxDef: tree.TreeDef | undefined;
  const apply = (inputs: readonly Tensor[]): Tensor[] => like("f", f(tree.unflatten(def, inputs)));
  const at = (x: unknown): unknown => tree.unflatten(def, apply(like("x", x)));
  const find = (inputs: readonly Tensor[]): Tensor[] => {
    const [x, aux] = splitSolution(NAME, "solve", solve(at, tree.unflatten(def, inputs)), hasAux);
    const [more, found] = leavesOf(NAME, aux);
    auxDef ??= found;
    return [...like("solve", x), ...more];
  };
  const invert = (inputs: readonly Tensor[]): Tensor[] => {
    const [x, y] = [inputs.slice(0, count), inputs.slice(count)];
    // f is traced once, however often its derivative is asked for.
    const { graph, lifted } = close(NAME, leaves, apply);
    const along = (v: unknown): unknown => {
      const pushed = pushedThrough(NAME, graph, [...x, ...lifted], like("v", v));
      return tree.unflatten(
        def,
        leaves.map((leaf, k) => pushed[k] ?? zeroOf(leaf)),
      );
    };
    return like("tangentSolve", tangentSolve(along, tree.unflatten(def, y)));
  };
  const functions: Closable[] = [
    [leaves, apply],
    [leaves, find],
    [[...leaves, ...leaves], invert],
  ];
  const { graphs, lifted } = closeTogether(NAME, functions);
  const [value, solver, inverse] = graphs;
  if (value === undefined || solver === undefined || inverse === undefined) return missing();
  const outputs = bindCall(rootOp(count, { value, solver, inverse }), [...leaves, ...lifted]);
  const x = tree.unflatten(def, outputs.slice(0, count));
  return hasAux && auxDef !== undefined ? [x, tree.unflatten(auxDef, outputs.slice(count))] : x;
}

/** Graphs of x and all constants: f(x), the root found from x; and of x, y and constants: v with ∂f/∂x v = y. */
interface RootGraphs {
  readonly value: Graph;
  readonly solver: Graph;
  readonly inverse: Graph;
}

function rootOp(count: number, { value, solver, inverse }: RootGraphs): CallOp {
  const op: CallOp = {
    name: NAME,
    run: (inputs) => evaluateNodes(solver.outputs, inputs),
    jvp: (inputs, tangents) => {
      const outputs = bindCall(op, inputs);
      const [x, constants] = [outputs.slice(0, count), inputs.slice(count)];
      // The guess may move as it likes.
      const moves = tangents.map((tangent, k) => (k < count ? undefined : tangent));
      const pushed = pushedThrough(NAME, value, [...x, ...constants], moves);
      if (pushed.every((one) => one === undefined)) return { outputs, tangents: [] };
      const y = x.map((one, k) => pushed[k] ?? zeroOf(one));
      return { outputs, tangents: evaluateNodes(inverse.outputs, [...x, ...y, ...constants]).map(neg) };
    },
    vjp: (inputs, needs) => {
      const outputs = bindCall(op, inputs);
      const [x, constants] = [outputs.slice(0, count), inputs.slice(count)];
      const linear = (y: readonly Tensor[]): Tensor[] => evaluateNodes(inverse.outputs, [...x, ...y, ...constants]);
      return {
        outputs,
        residuals: [...inputs, ...x],
        pull: (cts) => {
          const back = transposeMany(linear, x, cts.slice(0, count));
          const wanted = needs.map((need, k) => need && k >= count);
          const turned = back.map((ct) => ct && neg(ct));
          return pulledThrough(NAME, value, [...x, ...constants], wanted, turned);
        },
      };
    },
    batch: (inputs, batched, axis) => bindCall(batchedCall(op, batched, axis), inputs),
  };
  return op;
}

function missing(): never {
  throw new Error(`jnx internal error: ${NAME} lacks its functions`);
}
