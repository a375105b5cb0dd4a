import { asTensor, inArena, isData, sizeOf, type AnyFunction } from "@jnx/tensor/internal";
import { tree, type DType, type Shape, type Tensor, type TensorLike } from "@jnx/tensor";
import { Capture } from "./capture.ts";
import type { Graph } from "./graph.ts";
import { printGraph } from "./print.ts";

/**
 * The shape and dtype of an array without its elements: what evalShape takes and gives. Source: jax.ShapeDtypeStruct.
 * @example new ShapeDtypeStruct([2, 3], "float32").shape; // [2, 3]
 */
export class ShapeDtypeStruct {
  readonly shape: Shape;
  readonly dtype: DType;

  constructor(shape: Shape, dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
  }

  get ndim(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  toString(): string {
    return `ShapeDtypeStruct ${this.dtype}[${this.shape.join(", ")}]`;
  }
}

/** f run on symbols in the place of its arguments: no op reaches the device. */
function traced(
  name: string,
  f: AnyFunction,
  args: readonly unknown[],
  closed = false,
): { graph: Graph; def: tree.TreeDef } {
  return inArena(
    name,
    () => {
      const capture = new Capture(name, closed, true);
      const [leaves, def] = tree.flatten(args);
      let count = 0;
      const symbols = leaves.map((leaf) => {
        if (leaf instanceof ShapeDtypeStruct) return capture.input(count++, { ...leaf, weak: false });
        return isData(leaf) ? capture.input(count++, asTensor(leaf, name)) : leaf;
      });
      // The list of arguments that was flattened, with its leaves replaced.
      const returned: unknown = capture.run(() => f(...(tree.unflatten(def, symbols) as unknown[])));
      const [outputs, outDef] = tree.flatten(returned);
      const graph = capture.finish(outputs.map((output) => asTensor(output as TensorLike, name))); // asTensor refuses what is no array
      return { graph, def: outDef };
    },
    () => [],
  );
}

/**
 * The shapes and dtypes of what `f` would give, without computing anything: arrays, or ShapeDtypeStructs, in; a tree of
 * ShapeDtypeStructs out. Source: jax.eval_shape.
 *
 * @throws whatever `f` throws for arguments of these shapes.
 * @example
 * const out = evalShape(matmul, new ShapeDtypeStruct([1000, 5], "float32"), new ShapeDtypeStruct([5, 2], "float32"));
 * out.shape; // [1000, 2]
 */
export function evalShape<F extends AnyFunction>(f: F, ...args: readonly unknown[]): Shapes<ReturnType<F>> {
  const { graph, def } = traced("evalShape", f, args, true);
  const structs = graph.outputs.map(({ shape, dtype }) => new ShapeDtypeStruct(shape, dtype));
  return tree.unflatten(def, structs) as Shapes<ReturnType<F>>; // f's own tree
}

/** A tree with a ShapeDtypeStruct for every array. */
type Shapes<R> = R extends Tensor | number | boolean
  ? ShapeDtypeStruct
  : R extends object
    ? { [K in keyof R]: Shapes<R[K]> }
    : R;

/** The captured program of a function: prints as text, one op a line. */
export interface Jaxpr {
  /** The text. */
  toString(): string;
  /** How many ops it has. */
  readonly ops: number;
}

/**
 * A function that shows what `f` computes for given arguments: the graph that jit would compile, as text, one op a line
 * with the shape and dtype of its result. Source: jax.make_jaxpr.
 *
 * @throws whatever `f` throws for these arguments.
 * @example
 * String(makeJaxpr((x: Tensor) => sum(sin(x)))(ones([3]))).split("\n"); // ["%0: float32[3] = input 0", "%1: float32[3] = sin(%0)", "%2: float32[] = reduce_sum(%1) {\"axes\":[0]}", "return %2"]
 */
export function makeJaxpr<F extends AnyFunction>(f: F): (...args: Parameters<F>) => Jaxpr {
  return (...args) => {
    const { graph } = traced("makeJaxpr", f, args);
    const text = printGraph(graph);
    return { toString: () => text, ops: graph.nodes.filter((node) => node.kind === "op").length };
  };
}
