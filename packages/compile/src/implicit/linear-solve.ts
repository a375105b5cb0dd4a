import { batchedCall, checkFunction, transposeMany, zeroOf } from "@jnx/autodiff/internal";
import { bindCall, checkOptions, inArena, keptStorages, type AnyFunction, type CallOp } from "@jnx/tensor/internal";
import { ArgumentError, neg, sub, tree, type Tensor } from "@jnx/tensor";
import { closeTogether, evaluateNodes, type Closable } from "../control/closed.ts";
import { leavesOf } from "../control/trees.ts";
import type { Graph } from "../graph.ts";
import {
  likeUnknowns,
  pulledThrough,
  pushedThrough,
  splitSolution,
  unknownsOf,
  type Tangents,
  type Unknowns,
} from "./parts.ts";

const NAME = "customLinearSolve";
const SOLVE_OPTIONS = { transposeSolve: true, symmetric: "flag", hasAux: "flag" } as const;

/** Finds x with matvec(x) = b; with `hasAux`, `[x, aux]`. */
type Solver<B, R> = (matvec: (x: B) => B, b: B) => R;

/** Options of `customLinearSolve`. */
export interface LinearSolveOptions<B, R> {
  /** Finds x with vecmat(x) = b, where vecmat is the transpose of matvec; needed by reverse mode unless `symmetric`. */
  readonly transposeSolve?: Solver<B, R>;
  /** True if matvec is its own transpose, so that `solve` serves both ways. Default false. */
  readonly symmetric?: boolean;
  /** True if the solvers return `[x, aux]`: aux is handed out beside x, undifferentiated. Default false. */
  readonly hasAux?: boolean;
}

/**
 * solve(matvec, b), taken to be the x with matvec(x) = b whatever the solver does on its way: its derivatives come of the
 * equation, Ȧx + Aẋ = ḃ, in both modes and any order, so that the solver may be a {@link whileLoop} or stop early. b is a
 * tree of arrays, x and matvec's results are like it. matvec may close over what is differentiated; what only the solvers
 * close over (a factorization, a preconditioner) gets no gradient. Works under jit and vmap.
 *
 * @throws ArgumentError, ShapeError or DtypeError when what a function gives is not like b; ArgumentError in reverse mode
 * without `transposeSolve` or `symmetric`.
 * Source: lax.custom_linear_solve.
 * @example
 * const diagonal = array([2.5, 0.5]);
 * const solve = (d: Tensor) => customLinearSolve((x: Tensor) => mul(d, x), array([1.5, 3]), (_matvec, b) => div(b, d), { symmetric: true });
 * await solve(diagonal).toArray(); // [0.6, 6]
 * await grad((d: Tensor) => sum(solve(d)))(diagonal).toArray(); // [-0.24, -12]
 */
export function customLinearSolve<B, X>(
  matvec: (x: B) => B,
  b: B,
  solve: Solver<B, readonly [B, X]>,
  options: LinearSolveOptions<B, readonly [B, X]> & { readonly hasAux: true },
): [B, X];
export function customLinearSolve<B>(
  matvec: (x: B) => B,
  b: B,
  solve: Solver<B, B>,
  options?: LinearSolveOptions<B, B>,
): B;
export function customLinearSolve(
  matvec: AnyFunction,
  b: unknown,
  solve: AnyFunction,
  options: LinearSolveOptions<unknown, unknown> = {},
): unknown {
  checkOptions(NAME, options, SOLVE_OPTIONS);
  for (const f of [matvec, solve]) checkFunction(NAME, f);
  return inArena(NAME, () => solved(matvec, unknownsOf(NAME, b), solve, options), keptStorages);
}

function solved(
  matvec: AnyFunction,
  b: Unknowns,
  solve: AnyFunction,
  { transposeSolve, symmetric = false, hasAux = false }: LinearSolveOptions<unknown, unknown>,
): unknown {
  const { leaves, def } = b;
  const count = leaves.length;
  let auxDef: tree.TreeDef | undefined;
  const map = (inputs: readonly Tensor[]): Tensor[] =>
    likeUnknowns(NAME, "matvec", "b", matvec(tree.unflatten(def, inputs)), b);
  const transposed = (inputs: readonly Tensor[]): Tensor[] =>
    symmetric
      ? map(inputs)
      : transposeMany(map, leaves, inputs).map((ct, k) => ct ?? zeroOf(leaves[k] ?? missing("an unknown")));
  const solver =
    (label: string, f: AnyFunction, operator: typeof map) =>
    (inputs: readonly Tensor[]): Tensor[] => {
      const at = (x: unknown): unknown => tree.unflatten(def, operator(likeUnknowns(NAME, "x", "b", x, b)));
      const [x, aux] = splitSolution(NAME, label, f(at, tree.unflatten(def, inputs)), hasAux);
      const [more, found] = leavesOf(NAME, aux);
      auxDef ??= found;
      return [...likeUnknowns(NAME, label, "b", x, b), ...more];
    };
  const back = transposeSolve ?? (symmetric ? solve : undefined);
  const functions: Closable[] = [
    [leaves, map],
    [leaves, solver("solve", solve, map)],
    ...(back === undefined
      ? []
      : ([
          [leaves, transposed],
          [leaves, solver("transposeSolve", back, transposed)],
        ] satisfies Closable[])),
  ];
  const { graphs, lifted } = closeTogether(NAME, functions);
  const [forward, inverse, adjoint, adjointInverse] = graphs;
  if (forward === undefined || inverse === undefined) return missing("its functions");
  const way: Way = { map: forward, solve: inverse };
  const other = adjoint && adjointInverse && { map: adjoint, solve: adjointInverse };
  const outputs = bindCall(solveOp(count, way, other), [...leaves, ...lifted]);
  const x = tree.unflatten(def, outputs.slice(0, count));
  return hasAux && auxDef !== undefined ? [x, tree.unflatten(auxDef, outputs.slice(count))] : x;
}

/** A linear map and how to invert it: graphs of an array for each unknown, then of all constants. */
interface Way {
  readonly map: Graph;
  readonly solve: Graph;
}

/** The call for one way; `other` is that of the transpose. */
function solveOp(count: number, way: Way, other: Way | undefined): CallOp {
  const some = (wanted: readonly unknown[]): boolean => wanted.some((one) => one !== undefined && one !== false);
  const op: CallOp = {
    name: NAME,
    run: (inputs) => evaluateNodes(way.solve.outputs, inputs),
    // Aẋ = ḃ − Ȧx
    jvp: (inputs, tangents) => {
      const outputs = bindCall(op, inputs);
      const [constants, moves] = [inputs.slice(count), tangents.slice(count)];
      const still = inputs.slice(0, count).map((): undefined => undefined);
      const bent: Tangents = some(moves)
        ? pushedThrough(NAME, way.map, [...outputs.slice(0, count), ...constants], [...still, ...moves])
        : still;
      const sides = still.map((_, k) => difference(tangents[k], bent[k]));
      if (!some(sides)) return { outputs, tangents: [] };
      const full = sides.map((side, k) => side ?? zeroOf(inputs[k] ?? missing("a right-hand side")));
      return { outputs, tangents: bindCall(op, [...full, ...constants]).slice(0, count) };
    },
    // b̄ = A⁻ᵀ x̄; a constant's is that of −A(constant) x along b̄
    vjp: (inputs, needs) => {
      const outputs = bindCall(op, inputs);
      const [constants, x] = [inputs.slice(count), outputs.slice(0, count)];
      return {
        outputs,
        residuals: [...inputs, ...x],
        pull: (cts) => {
          if (!some(cts.slice(0, count))) return [];
          if (other === undefined)
            throw new ArgumentError(
              `${NAME}: reverse mode (grad, vjp, jacrev) solves the transposed equation; give transposeSolve, or { symmetric: true } if matvec is its own transpose`,
            );
          const full = x.map((one, k) => cts[k] ?? zeroOf(one));
          const back = bindCall(solveOp(count, other, way), [...full, ...constants]).slice(0, count);
          const wanted = needs.map((need, k) => need && k >= count);
          const parts = some(wanted) ? pulledThrough(NAME, way.map, [...x, ...constants], wanted, back.map(neg)) : [];
          return inputs.map((_, k) => (k < count ? back[k] : parts[k]));
        },
      };
    },
    batch: (inputs, batched, axis) => bindCall(batchedCall(op, batched, axis), inputs),
  };
  return op;
}

function difference(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  if (b === undefined) return a;
  return a === undefined ? neg(b) : sub(a, b);
}

function missing(what: string): never {
  throw new Error(`jnx internal error: ${NAME} lacks ${what}`);
}
