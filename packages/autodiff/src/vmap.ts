import {
  asTensor,
  inArena,
  isData,
  keptStorages,
  withLevel,
  type AnyFunction,
  checkOptions,
} from "@jnx/tensor/internal";
import { ArgumentError, broadcastTo, expandDims, moveaxis, ShapeError, tree, type Tensor } from "@jnx/tensor";
import { axisAt, batchExtent, batchFirst, checkAxes, mappedLeaves, pathText, type Axes } from "./axes.ts";
import { Batch } from "./batch.ts";
import { checkFunction, named } from "./grad.ts";

const VMAP_OPTIONS = { inAxes: true, outAxes: true, axisSize: "number", axisName: true } as const;

/** Options of `vmap`. */
export interface VmapOptions {
  /** The batch axis of each argument: one for all (default 0), or a list with a number, null or tree for each. */
  readonly inAxes?: Axes;
  /** Where the batch goes in the result: one for all leaves (default 0), or a tree; null for what no example changes. */
  readonly outAxes?: Axes;
  /** The batch's size; needed only when no argument is mapped. */
  readonly axisSize?: number;
  /** A name by which `psum`, `axisIndex` and the like reach the other examples. */
  readonly axisName?: string;
}

/**
 * A function that runs `f` on every example of a batch at once: `f` is written for one example and sees its shapes; the
 * ops run on all of them together, with no loop. Batch axes are named by `inAxes` and `outAxes`, negative counting from
 * the end. It nests with itself and with grad, jvp and jit in any order.
 *
 * @throws ShapeError when an array has no such axis or sizes differ, ArgumentError when inAxes does not fit the arguments
 * or outAxes is null for a result that differs between examples.
 * Source: jax.vmap.
 * @example
 * const dots = vmap((x: Tensor, y: Tensor) => sum(mul(x, y)), { inAxes: [0, null] });
 * dots(array([[1, 2], [3, 4]]), array([10, 1])); // [12, 34]
 */
export function vmap<F extends AnyFunction>(
  f: F,
  options: VmapOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  checkOptions("vmap", options, VMAP_OPTIONS);
  const { inAxes = 0, outAxes = 0, axisSize, axisName } = options;
  checkFunction("vmap", f);
  checkSize(axisSize);
  const wrapped = (...args: unknown[]): unknown =>
    inArena(
      "vmap",
      () => {
        const { leaves, def } = mappedLeaves("vmap", args, inAxes);
        const batches = leaves.map((leaf) => batchFirst("vmap", leaf));
        const level = new Batch("vmap", batchExtent("vmap", leaves, batches, axisSize), axisName);
        const examples = leaves.map(({ leaf, path }, k) => {
          const batch = batches[k];
          return batch === undefined ? leaf : level.example(batch, path);
        });
        // The list of arguments that was flattened, with its leaves replaced.
        const mapped = tree.unflatten(def, examples) as Parameters<F>;
        const result: unknown = withLevel(level, () => f(...mapped));
        return collect(level, result, outAxes);
      },
      keptStorages,
    );
  return named(wrapped, "vmap", f) as (...args: Parameters<F>) => ReturnType<F>; // f's own trees, with a batch axis in the leaves
}

function checkSize(axisSize: number | undefined): void {
  if (axisSize !== undefined && (!Number.isInteger(axisSize) || axisSize < 0))
    throw new ArgumentError(`vmap: axisSize must be a whole number ≥ 0, received ${axisSize}`);
}

/** The function's result with the batch where outAxes says. */
function collect(level: Batch, result: unknown, outAxes: Axes): unknown {
  checkAxes("vmap", "outAxes", outAxes, result, "the result");
  const { leaves, paths, def } = tree.flattenWithPath(result);
  return tree.unflatten(
    def,
    leaves.map((leaf, k) => {
      if (!isData(leaf)) return leaf;
      const path = paths[k] ?? [];
      return placed(
        level,
        asTensor(leaf, "vmap"),
        axisAt("vmap", "outAxes", outAxes, path, pathText("the result", path)),
      );
    }),
  );
}

/** A result of one example with the whole batch on an axis; null for what no example changes. */
export function placed(level: Batch, leaf: Tensor, axis: number | null): Tensor {
  const physical = level.physical(leaf);
  if (axis === null) {
    if (physical === undefined) return leaf;
    throw new ArgumentError(
      `vmap: outAxes is null for a result of shape [${leaf.shape.join(", ")}] that differs between examples; give it an axis`,
    );
  }
  if (axis < -leaf.ndim - 1 || axis > leaf.ndim)
    throw new ShapeError(
      `vmap: outAxes puts the batch on axis ${axis} of a result with ${leaf.ndim + 1} axes, the batch included`,
    );
  const whole = physical ?? broadcastTo(expandDims(leaf, 0), [level.size, ...leaf.shape]);
  return moveaxis(whole, 0, axis);
}
