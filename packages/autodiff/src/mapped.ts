import { asTensor, checkOptions } from "@jnx/tensor/internal";
import {
  ArgumentError,
  astype,
  broadcastedIota,
  broadcastShapes,
  broadcastTo,
  expandDims,
  moveaxis,
  reshape,
  ShapeError,
  tree,
  Tensor,
  type DType,
  type Shape,
  type TensorLike,
} from "@jnx/tensor";
import { checkFunction } from "./grad.ts";
import { vmap } from "./vmap.ts";

/** Functions of NumPy that apply a function of the user's to parts of arrays: all parts at once, by vmap. */

const VECTORIZE_OPTIONS = { signature: true, excluded: true } as const;

function axisOf(name: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(`${name}: axis ${String(axis)} is out of range for an array of ${rank} axes`);
  return axis < 0 ? axis + rank : axis;
}

/**
 * f of every vector of x along an axis; what f gives stands in the axis' place. Source: jnp.apply_along_axis.
 *
 * @throws ShapeError when the axis is out of range, ArgumentError unless f is a function.
 * @example await applyAlongAxis((v) => sum(v), 1, array([[1, 2], [3, 4]])).toArray(); // [3, 7]
 */
export function applyAlongAxis(f: (vector: Tensor) => Tensor, axis: number, x: TensorLike): Tensor {
  checkFunction("applyAlongAxis", f);
  const tensor = asTensor(x, "applyAlongAxis");
  const along = axisOf("applyAlongAxis", axis, tensor.ndim);
  const last = moveaxis(tensor, along, -1);
  const others = last.shape.slice(0, -1);
  const count = others.reduce((size, extent) => size * extent, 1);
  const all = reshape(last, [count, ...last.shape.slice(-1)]);
  const found = asTensor(vmap(f)(all), "applyAlongAxis");
  const own = found.shape.slice(1);
  let result = reshape(found, [...others, ...own]);
  // Each of f's axes, which come last, to where the vectors lay.
  own.forEach((_, k) => (result = moveaxis(result, others.length + k, along + k)));
  return result;
}

/**
 * f of x and an axis for each axis in turn; an axis that f takes away comes back with extent 1. Source: jnp.apply_over_axes.
 *
 * @throws ShapeError unless f keeps the number of axes or takes one away.
 * @example await applyOverAxes((v, axis) => sum(v, { axis }), ones([2, 3]), [0, 1]).toArray(); // [[6]]
 */
export function applyOverAxes(
  f: (x: Tensor, axis: number) => Tensor,
  x: TensorLike,
  axes: number | readonly number[],
): Tensor {
  checkFunction("applyOverAxes", f);
  const tensor = asTensor(x, "applyOverAxes");
  return [axes].flat().reduce<Tensor>((before, axis) => {
    const along = axisOf("applyOverAxes", axis, tensor.ndim);
    const after = asTensor(f(before, along), "applyOverAxes");
    if (after.ndim === before.ndim) return after;
    if (after.ndim === before.ndim - 1) return expandDims(after, along);
    throw new ShapeError(
      `applyOverAxes: the function made ${after.ndim} axes of ${before.ndim}; it may take away one at most`,
    );
  }, tensor);
}

/**
 * An array whose element at (i, j, …) is f(i, j, …), all examples at once; f gets float32 numbers, or of another dtype. Source:
 * jnp.fromfunction.
 *
 * @throws ShapeError unless the shape holds whole numbers, ArgumentError unless f is a function.
 * @example await fromfunction((i, j) => add(i, mul(j, 10)), [2, 2]).toArray(); // [[0, 10], [1, 11]]
 */
export function fromfunction(
  f: (...indices: Tensor[]) => Tensor,
  shape: Shape,
  options: { readonly dtype?: DType } = {},
): Tensor {
  checkFunction("fromfunction", f);
  checkOptions("fromfunction", options, { dtype: true });
  if (!Array.isArray(shape))
    throw new ShapeError(`fromfunction: expected a shape such as [2, 3], received ${String(shape)}`);
  const grid = shape.map((_, axis) => astype(broadcastedIota("int32", shape, axis), options.dtype ?? "float32"));
  return vectorize(f)(...grid);
}

export interface VectorizeOptions {
  /** The axes that f is written for, as NumPy's generalized functions have it: "(n),(n)->()". Scalars unless told. */
  readonly signature?: string;
  /** Arguments, by position, that are passed on as they are. */
  readonly excluded?: readonly number[];
}

interface Signature {
  readonly inputs: readonly (readonly string[])[];
  readonly outputs: readonly (readonly string[])[];
}

const GROUPS = /^\s*\(([^()]*)\)\s*(?:,\s*\(([^()]*)\)\s*)*$/;

function parsed(text: string): Signature {
  const [left, right, ...more] = typeof text === "string" ? text.split("->") : [];
  if (left === undefined || right === undefined || more.length > 0 || !GROUPS.test(left) || !GROUPS.test(right))
    throw new ArgumentError(
      `vectorize: cannot read the signature ${JSON.stringify(text)}; it looks like "(n),(n)->()"`,
    );
  const groups = (side: string): string[][] =>
    [...side.matchAll(/\(([^()]*)\)/g)].map(([, names = ""]) => names.split(",").flatMap((name) => name.trim() || []));
  return { inputs: groups(left), outputs: groups(right) };
}

/** Extents of the named axes, which must agree; each argument's own axes are its last. */
function checkCore(arrays: readonly Tensor[], { inputs }: Signature): void {
  const extents = new Map<string, number>();
  if (arrays.length !== inputs.length)
    throw new ArgumentError(`vectorize: ${arrays.length} arguments for a signature of ${inputs.length}`);
  arrays.forEach(({ shape }, k) => {
    const names = inputs[k] ?? [];
    if (shape.length < names.length)
      throw new ShapeError(
        `vectorize: argument ${k} has shape [${shape.join(", ")}], its signature (${names.join(",")}) needs ${names.length} axes`,
      );
    names.forEach((name, axis) => {
      const extent = shape.at(axis - names.length) ?? 0;
      const known = extents.get(name) ?? extent;
      if (known !== extent)
        throw new ShapeError(`vectorize: axis "${name}" is ${known} of one argument and ${extent} of argument ${k}`);
      extents.set(name, extent);
    });
  });
}

/**
 * f, written for scalars or for the axes that a signature names, as a function of arrays that broadcast on the axes before
 * those. Source: jnp.vectorize.
 *
 * @throws ArgumentError for a signature that cannot be read or other results than it says, ShapeError when arguments do not
 * fit it or do not broadcast.
 * @example
 * const dot = vectorize((u, v) => sum(mul(u, v)), { signature: "(n),(n)->()" });
 * await dot(array([[1, 2], [3, 4]]), array([10, 1])).toArray(); // [12, 34]
 */
export function vectorize<R = Tensor>(
  // What f takes is the user's; arrays among it come as Tensors.
  f: (...args: Tensor[]) => R,
  options: VectorizeOptions = {},
): (...args: TensorLike[]) => R {
  checkFunction("vectorize", f);
  checkOptions("vectorize", options, VECTORIZE_OPTIONS);
  const { excluded = [] } = options;
  const told = options.signature === undefined ? undefined : parsed(options.signature);
  return (...args) => {
    const mapped = args.map((_, k) => k).filter((k) => !excluded.includes(k));
    const arrays = mapped.map((k) => asTensor(args[k] ?? 0, "vectorize"));
    const signature = told ?? { inputs: arrays.map(() => []), outputs: [[]] };
    checkCore(arrays, signature);
    const core = (k: number): number => signature.inputs[k]?.length ?? 0;
    const own = arrays.map(({ shape }, k) => shape.slice(shape.length - core(k)));
    const batch = broadcastShapes(...arrays.map(({ shape }, k) => shape.slice(0, shape.length - core(k))));
    const count = batch.reduce((size, extent) => size * extent, 1);
    const rows = arrays.map((array, k) =>
      reshape(broadcastTo(array, [...batch, ...(own[k] ?? [])]), [count, ...(own[k] ?? [])]),
    );
    const run = (...some: Tensor[]): R => {
      const all = [...args];
      mapped.forEach((place, k) => (all[place] = some[k] ?? 0));
      // Excluded arguments go on as they are, whatever they are; the others are Tensors.
      const result = f(...(all as Tensor[]));
      if (told !== undefined) checkResult(result, told);
      return result;
    };
    if (rows.length === 0) return run();
    return tree.map((leaf: Tensor) => reshape(leaf, [...batch, ...leaf.shape.slice(1)]), vmap(run)(...rows)) as R; // of the same form
  };
}

function checkResult(result: unknown, { outputs }: Signature): void {
  const ranks = tree.leaves(result).map((leaf) => (leaf instanceof Tensor ? leaf.ndim : 0));
  const wanted = outputs.map((names) => names.length);
  if (ranks.join() !== wanted.join())
    throw new ShapeError(
      `vectorize: results of [${ranks.join(", ")}] axes where the signature has [${wanted.join(", ")}]`,
    );
}
