import { asTensor, bind, checkOptions, currentFrame, normalizeAxis, type KernelOp } from "@jnx/tensor/internal";
import {
  ArgumentError,
  broadcastedIota,
  broadcastTo,
  max,
  mean,
  min,
  moveaxis,
  reshape,
  sum,
  take,
  tree,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { Batch } from "./batch.ts";

/** How examples under one vmap reach each other. All is made of one op, which gathers what every example has. */

interface GatherAttrs {
  readonly size: number;
}

/**
 * x: [...], index: the example's own number → [size, ...], the same for all. The index is batched by the named vmap
 * whatever x is, so that every op on the axis passes through the level that answers it.
 */
const allGatherOp: KernelOp<GatherAttrs> = {
  kind: "kernel",
  name: "all_gather",
  infer: ([x], { size }) => ({
    shape: [size, ...(x?.shape ?? [])],
    dtype: x?.dtype ?? "float32",
    weak: x?.weak ?? false,
  }),
  accepts: () => true,
  plan: () => {
    throw new Error("jnx internal error: a collective left its vmap");
  },
  // What all examples give back to this one's row.
  vjp: ({ inputs: [, index], attrs }, ct) =>
    index === undefined
      ? []
      : [take(sum(bind(allGatherOp, [ct, index], attrs), { axis: 0 }), index, { axis: 0, mode: "clip" })],
  jvp: ({ inputs: [, index], attrs }, [tangent]) => tangent && index && bind(allGatherOp, [tangent, index], attrs),
  batch: (inputs, [x, index], attrs) => {
    const [operand] = inputs;
    if (operand === undefined) throw new Error("jnx internal error: all_gather has no operand");
    if (index !== true) return moveaxis(bind(allGatherOp, inputs, attrs), 1, 0);
    return { unbatched: x === true ? operand : broadcastTo(operand, [attrs.size, ...operand.shape]) };
  },
};

/** The vmap that gave an axis its name. */
export function levelOf(name: string, axisName: string): Batch {
  const named: string[] = [];
  for (let frame = currentFrame(); frame !== undefined; frame = frame.below) {
    const { level } = frame;
    if (!(level instanceof Batch) || level.axisName === undefined) continue;
    if (level.axisName === axisName) return level;
    named.push(level.axisName);
  }
  throw new ArgumentError(
    `${name}: no axis is named ${JSON.stringify(axisName)} here${named.length > 0 ? `, only ${named.join(", ")}` : ""}; name it with vmap(f, { axisName })`,
  );
}

export function gathered(name: string, x: TensorLike, axisName: string): Tensor {
  const level = levelOf(name, axisName);
  return bind(allGatherOp, [asTensor(x, name), indexIn(level)], { size: level.size });
}

export function indexIn(level: Batch): Tensor {
  return level.example(broadcastedIota("int32", [level.size], 0));
}

/** f over what all examples have, axis after axis, for every leaf of a tree. */
export function over<T>(name: string, x: T, axisName: AxisNames, f: (all: Tensor) => Tensor): T {
  const names = typeof axisName === "string" ? [axisName] : axisName;
  const [leaves, def] = tree.flatten(x);
  return tree.unflatten(
    def,
    leaves.map((leaf) => names.reduce((sum, one) => f(gathered(name, sum, one)), asTensor(leaf as TensorLike, name))), // asTensor refuses what is no array
  ) as T; // the same tree
}

/** The name of a vmap's axis, or those of several. */
export type AxisNames = string | readonly string[];

/**
 * The number of this example within the vmap that named the axis, an int32 scalar. Source: lax.axis_index.
 *
 * @throws ArgumentError when no vmap around the call has named the axis.
 * @example
 * vmap((x: Tensor) => mul(x, axisIndex("i")), { axisName: "i" })(array([5, 6, 7])); // [0, 6, 14]
 */
export function axisIndex(axisName: string): Tensor {
  return indexIn(levelOf("axisIndex", axisName));
}

/**
 * Σ x over all examples of the vmap that named the axis, for each leaf of a tree; of
 * several axes given a list. Source: lax.psum.
 *
 * @throws ArgumentError when no vmap around the call has named the axis.
 * @example
 * vmap((x: Tensor) => div(x, psum(x, "i")), { axisName: "i" })(array([1, 1, 2])); // [0.25, 0.25, 0.5]
 */
export function psum<T>(x: T, axisName: AxisNames): T {
  return over("psum", x, axisName, (all) => sum(all, { axis: 0 }));
}

/**
 * The mean of x over all examples of the vmap that named the axis, for each leaf of a tree; of
 * several axes given a list. Source: lax.pmean.
 *
 * @throws ArgumentError when no vmap around the call has named the axis.
 * @example
 * vmap((x: Tensor) => sub(x, pmean(x, "i")), { axisName: "i" })(array([1, 2, 6])); // [-2, -1, 3]
 */
export function pmean<T>(x: T, axisName: AxisNames): T {
  return over("pmean", x, axisName, (all) => mean(all, { axis: 0 }));
}

/**
 * The largest x of all examples of the vmap that named the axis, for each leaf of a tree; of
 * several axes given a list. Source: lax.pmax.
 *
 * @throws ArgumentError when no vmap around the call has named the axis.
 * @example
 * vmap((x: Tensor) => pmax(x, "i"), { axisName: "i" })(array([1, 2, 6])); // [6, 6, 6]
 */
export function pmax<T>(x: T, axisName: AxisNames): T {
  return over("pmax", x, axisName, (all) => max(all, { axis: 0 }));
}

/**
 * The smallest x of all examples of the vmap that named the axis, for each leaf of a tree; of
 * several axes given a list. Source: lax.pmin.
 *
 * @throws ArgumentError when no vmap around the call has named the axis.
 * @example
 * vmap((x: Tensor) => pmin(x, "i"), { axisName: "i" })(array([1, 2, 6])); // [1, 1, 1]
 */
export function pmin<T>(x: T, axisName: AxisNames): T {
  return over("pmin", x, axisName, (all) => min(all, { axis: 0 }));
}

const GATHER_OPTIONS = { axis: "number", tiled: "flag" } as const;

/** Options of `allGather`. */
export interface AllGatherOptions {
  /** Where what was gathered lies; 0 unless told. */
  readonly axis?: number;
  /** True to put it one after another along an axis that there is, instead of a new one. */
  readonly tiled?: boolean;
}

/**
 * What every example has, along a new axis, or with `tiled` one after another along an axis that there is, for each leaf of a
 * tree. Source: lax.all_gather.
 *
 * @throws ArgumentError when no vmap around the call has named the axis, ShapeError when `axis` is out of range.
 * @example
 * vmap((x: Tensor) => sum(allGather(x, "i")), { axisName: "i" })(array([1, 2, 6])); // [9, 9, 9]
 */
export function allGather<T>(x: T, axisName: string, options: AllGatherOptions = {}): T {
  checkOptions("allGather", options, GATHER_OPTIONS);
  const { axis = 0, tiled = false } = options;
  return over("allGather", x, axisName, (all) => {
    if (!tiled) return moveaxis(all, 0, normalizeAxis("allGather", axis, all.ndim));
    const shape = all.shape.slice(1);
    const along = normalizeAxis("allGather", axis, shape.length);
    return reshape(
      moveaxis(all, 0, along),
      shape.map((extent, k) => (k === along ? -1 : extent)),
    );
  });
}
