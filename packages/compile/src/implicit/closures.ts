import { checkFunction } from "@jnx/autodiff/internal";
import { customVjp } from "@jnx/autodiff";
import { convert, inArena, isFloat, keptStorages, type AnyFunction } from "@jnx/tensor/internal";
import { ArgumentError, tree, type Tensor } from "@jnx/tensor";
import { close, evaluateNodes } from "../control/closed.ts";
import { checkSameTypes, leavesOf } from "../control/trees.ts";
import type { Graph } from "../graph.ts";

/** A function as a graph of its arguments' leaves and of what it closed over, with the tree that it gives. */
interface Converted {
  readonly graph: Graph;
  readonly lifted: readonly Tensor[];
  readonly def: tree.TreeDef;
}

function converted(name: string, f: AnyFunction, leaves: readonly Tensor[], args: tree.TreeDef): Converted {
  let def = args;
  const { graph, lifted } = close(name, leaves, (inputs) => {
    // The list of arguments that was flattened.
    const [outputs, found] = leavesOf(name, f(...(tree.unflatten(args, inputs) as unknown[])));
    def = found;
    return outputs;
  });
  return { graph, lifted, def };
}

/**
 * `[converted, constants]`: f with the float arrays that it closes over as further arguments, `converted(...args,
 * ...constants)` = f(...args), for arguments of the trees, shapes and dtypes of the example. f is traced, as by jit, and not run.
 * For functions that take functions and have rules of their own ({@link customVjp}): what they differentiate must be passed.
 *
 * @throws ArgumentError, ShapeError or DtypeError when `converted` is called with other types than the example's.
 * Source: jax.closure_convert, which leaves in the closure what no transformation follows.
 * @example
 * const scale = array([0.5, 2]);
 * const [f, constants] = closureConvert((x: Tensor) => mul(x, scale), ones([2]));
 * constants.length; // 1
 * await f(array([1.5, 2]), array([10.5, 100])).toArray(); // [15.75, 200]
 */
export function closureConvert<F extends AnyFunction>(
  f: F,
  ...exampleArgs: Parameters<F>
): [(...argsAndConstants: [...Parameters<F>, ...Tensor[]]) => ReturnType<F>, Tensor[]] {
  const name = "closureConvert";
  checkFunction(name, f);
  const [example, def] = leavesOf(name, exampleArgs);
  const {
    graph,
    lifted,
    def: outDef,
  } = inArena(
    name,
    () => converted(name, f, example, def),
    (made) => keptStorages(made.lifted),
  );
  const hoisted = lifted.filter(({ dtype }) => isFloat(dtype));
  const call = (...given: unknown[]): unknown => {
    const [args, constants] = [given.slice(0, exampleArgs.length), given.slice(exampleArgs.length)];
    const [leaves, found] = leavesOf(name, args);
    checkSameTypes(
      name,
      "the arguments must be like the example",
      { label: "the call", tree: { def: found, avals: leaves } },
      { label: "the example", tree: { def, avals: example } },
    );
    const [values] = leavesOf(name, constants);
    if (values.length !== hoisted.length)
      throw new ArgumentError(
        `${name}: the function takes ${exampleArgs.length} arguments and ${hoisted.length} constants, received ${values.length} constants`,
      );
    const read = lifted.map((tensor) => values[hoisted.indexOf(tensor)] ?? tensor);
    return tree.unflatten(outDef, evaluateNodes(graph.outputs, [...leaves, ...read]));
  };
  // It takes what f does and what was hoisted, and gives what f does.
  return [call as (...argsAndConstants: [...Parameters<F>, ...Tensor[]]) => ReturnType<F>, hoisted];
}

/**
 * A function with a reverse-mode derivative of your own, written as one: `f(...args)` returns `[value, rule]`, and
 * `rule(ct)` the cotangents of the arguments, a list with one for each, null for zero, or the only one by itself. The rule may
 * close over what f computed; it is traced, so it cannot look at values. Not for forward mode.
 *
 * @throws ArgumentError when f does not return `[value, rule]`, and as {@link customVjp}.
 * Source: jax.custom_gradient.
 * @example
 * const f = customGradient((x: Tensor): [Tensor, (ct: Tensor) => Tensor] => {
 *   const y = exp(x);
 *   return [y, (ct) => mul(ct, mul(y, 10))];
 * });
 * grad(f)(array(0.5)); // 16.487
 */
export function customGradient<A extends readonly unknown[], R>(
  f: (...args: A) => readonly [R, (ct: R) => unknown],
): (...args: A) => R {
  checkFunction("customGradient", f);
  const both = (args: A): readonly [R, (ct: R) => unknown] => {
    const returned: unknown = f(...args);
    if (!isRuled<R>(returned)) throw new ArgumentError("customGradient: the function must return [value, rule]");
    return returned;
  };
  const custom = customVjp((...args: A): R => both(args)[0]);
  custom.defvjp(
    (...args) => {
      // Parameters of a function of A are A, which TypeScript does not work out for an A that it does not know.
      const [value, rule] = both(args as unknown as A);
      const [outputs, def] = leavesOf("customGradient", [value]);
      const strong = outputs.map((x) => convert(x, x.dtype, false));
      const kept = converted("customGradient", rule, strong, def);
      // What the rule closed over is what goes back needs; the graph itself is no array.
      return [value, { lifted: kept.lifted, graph: () => kept }];
    },
    ({ lifted, graph }: { lifted: readonly Tensor[]; graph: () => Converted }, ct: R) => {
      const kept = graph();
      const cts: unknown = tree.unflatten(
        kept.def,
        evaluateNodes(kept.graph.outputs, [...leavesOf("customGradient", [ct])[0], ...lifted]),
      );
      return Array.isArray(cts) ? cts : [cts];
    },
  );
  return custom;
}

/** That there is a value and a rule; R is what the function says it returns. */
function isRuled<R>(returned: unknown): returned is readonly [R, (ct: R) => unknown] {
  return Array.isArray(returned) && returned.length === 2 && typeof returned[1] === "function";
}
