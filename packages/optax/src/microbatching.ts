/** Functions of a batch, run on one part of it after another, as optax.microbatching has them. */
import { vmap, valueAndGrad } from "@jnx/autodiff";
import { evalShape, foriLoop, type ShapeDtypeStruct } from "@jnx/compile";
import {
  add,
  array,
  ArgumentError,
  astype,
  at,
  div,
  DtypeError,
  expandDims,
  mean,
  mul,
  reshape,
  sub,
  sum,
  swapaxes,
  take,
  tree,
  zeros,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys, isFloat, type AnyFunction } from "@jnx/tensor/internal";

/** How the results of parts become one. */
export interface Accumulator {
  /** The first carry, for a part's result as `evalShape` gives it. */
  init(value: ShapeDtypeStruct): Tensor;
  update(carry: Tensor, value: Tensor, index: Tensor): Tensor;
  finalize(carry: Tensor): Tensor;
  /** The same for results of single examples that lie side by side. */
  aggregate(values: Tensor): Tensor;
}

/** The ways there are: the sum, the mean of the parts at the end or as it goes, or all of them in the batch's order. */
export type AccumulationType = "sum" | "mean" | "runningMean" | "concat";

/** One way for all of a result, or a tree like it. */
export type Accumulation =
  Accumulator | AccumulationType | readonly Accumulation[] | { readonly [key: string]: Accumulation };

/** Options of `microbatch`. */
export interface MicrobatchOptions {
  /** "sum" unless given. */
  readonly accumulator?: Accumulation;
  /** The batch's axis, in each of the arguments; 0. */
  readonly inAxes?: number | readonly number[];
  /** How many parts count, a number or an integer on the device; all unless given. */
  readonly numRealMicrobatches?: TensorLike;
}

function zerosOf({ shape, dtype }: ShapeDtypeStruct, lead: readonly number[] = []): Tensor {
  return zeros([...lead, ...shape], { dtype });
}

function floatZeros(value: ShapeDtypeStruct): Tensor {
  if (isFloat(value.dtype)) return zerosOf(value);
  throw new DtypeError(`microbatch: means need floats, received ${value.dtype}; accumulate by "sum" or "concat"`);
}

function accumulatorOf(type: AccumulationType, parts: number): Accumulator {
  const kinds: Readonly<Record<AccumulationType, Accumulator>> = {
    sum: {
      init: zerosOf,
      update: (carry, value) => add(carry, value),
      finalize: (carry) => carry,
      aggregate: (values) => astype(sum(values, { axis: 0 }), values.dtype),
    },
    mean: {
      init: floatZeros,
      update: (carry, value) => add(carry, value),
      finalize: (carry) => div(carry, parts),
      aggregate: (values) => mean(values, { axis: 0 }),
    },
    runningMean: {
      init: floatZeros,
      update: (carry, value, index) => {
        const kept = div(index, add(index, 1));
        return astype(add(mul(carry, kept), mul(value, sub(1, kept))), value.dtype);
      },
      finalize: (carry) => carry,
      aggregate: (values) => mean(values, { axis: 0 }),
    },
    concat: {
      init: (value) => zerosOf(value, [parts]),
      update: (carry, value, index) => at(carry, index).set(value),
      finalize: (carry) => reshape(swapaxes(carry, 0, 1), [-1, ...carry.shape.slice(2)]),
      aggregate: (values) => values,
    },
  };
  if (!Object.hasOwn(kinds, type))
    throw new ArgumentError(
      `microbatch: accumulator is "sum", "mean", "runningMean" or "concat", received ${JSON.stringify(type)}`,
    );
  return kinds[type];
}

function isAccumulator(value: unknown): value is Accumulator | AccumulationType {
  return typeof value === "string" || (typeof value === "object" && value !== null && "finalize" in value);
}

/** `f` of every leaf of trees, with the accumulator that a tree of such has for it. */
function walk<R>(
  how: Accumulation,
  parts: number,
  trees: readonly unknown[],
  f: (own: Accumulator, ...leaves: never[]) => R,
): unknown {
  if (isAccumulator(how)) {
    const own = typeof how === "string" ? accumulatorOf(how, parts) : how;
    return tree.map((...leaves: never[]) => f(own, ...leaves), trees[0], ...trees.slice(1));
  }
  const inside = (key: number | string): unknown[] => trees.map((one) => Reflect.get(Object(one) as object, key)); // of a tree like `how`
  if (Array.isArray(how)) return how.map((one: Accumulation, k) => walk(one, parts, inside(k), f));
  const entries: [string, Accumulation][] = Object.entries(how);
  return Object.fromEntries(entries.map(([key, one]) => [key, walk(one, parts, inside(key), f)]));
}

/**
 * A batch axis of n made two, [n / size, size], so that part i holds the examples i, i + n / size, …: parts of a batch that
 * lies over several devices would, too. Source: optax.microbatching.reshape_batch_axis.
 *
 * @throws ArgumentError when the size does not divide the axis.
 * @example optax.microbatching.reshapeBatchAxis(array([0, 1, 2, 3]), 2); // [[0, 2], [1, 3]]
 */
export function reshapeBatchAxis<T>(values: T, microbatchSize: number, axis = 0): T {
  return tree.map((leaf: TensorLike) => {
    const x = asTensor(leaf, "reshapeBatchAxis");
    const { shape } = x;
    const count = (shape[axis] ?? 0) / microbatchSize;
    if (!Number.isInteger(count) || count < 1)
      throw new ArgumentError(
        `microbatch: a batch of ${shape[axis] ?? 0} must be divisible by the size of its parts, ${microbatchSize}`,
      );
    return swapaxes(
      reshape(x, [...shape.slice(0, axis), microbatchSize, count, ...shape.slice(axis + 1)]),
      axis,
      axis + 1,
    );
  }, values);
}

function listOf(value: number | readonly number[]): readonly number[] {
  return typeof value === "number" ? [value] : value;
}

/**
 * `fun` over parts of a batch, one after another in a loop on the device, with their results put together: less memory, and
 * the same sum. `argnums` are the arguments that have a batch. Source: optax.microbatching.microbatch.
 *
 * @throws ArgumentError when the parts do not divide the batch, DtypeError for the mean of integers.
 * @example
 * const total = optax.microbatch((x: Tensor) => sum(square(x)), 0, 2);
 * total(array([1, 2, 3, 4])); // 30
 */
export function microbatch<F extends AnyFunction>(
  fun: F,
  argnums: number | readonly number[],
  microbatchSize: number | null | undefined,
  options: MicrobatchOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  checkKeys("microbatch", options, "accumulator inAxes numRealMicrobatches");
  const { accumulator = "sum", inAxes = 0, numRealMicrobatches } = options;
  if (microbatchSize === null || microbatchSize === undefined) return fun;
  const batched = listOf(argnums);
  const axes = typeof inAxes === "number" ? batched.map(() => inAxes) : inAxes;
  const run = (...args: unknown[]): unknown => {
    const parted = [...args];
    batched.forEach((k, n) => (parted[k] = reshapeBatchAxis(args[k], microbatchSize, axes[n])));
    const parts = batchOf(args, batched, axes) / microbatchSize;
    const f = (index: Tensor): unknown => {
      const own = [...parted];
      batched.forEach((k, n) => (own[k] = tree.map((x: Tensor) => take(x, index, { axis: axes[n] ?? 0 }), parted[k])));
      return fun(...own);
    };
    const over = <R>(trees: readonly unknown[], g: (own: Accumulator, ...leaves: never[]) => R): unknown =>
      walk(accumulator, parts, trees, g);
    const first = over([evalShape(f, array(0))], (own, value: ShapeDtypeStruct) => own.init(value));
    const body = (index: Tensor, carry: unknown): unknown =>
      over([carry, f(index)], (own, before: Tensor, value: Tensor) => own.update(before, value, index));
    const last = foriLoop(0, numRealMicrobatches ?? parts, body, first, { maxIterations: parts });
    return over([last], (own, carry: Tensor) => own.finalize(carry));
  };
  return run as (...args: Parameters<F>) => ReturnType<F>; // results are like f's
}

/** How many examples there are, in all arguments alike. */
function batchOf(args: readonly unknown[], batched: readonly number[], axes: readonly number[]): number {
  const sizes = batched.flatMap((k, n) => {
    const arrays = tree.leaves(args[k]) as TensorLike[]; // asTensor refuses what is no array
    return arrays.map((x) => asTensor(x, "microbatch").shape[axes[n] ?? 0] ?? 0);
  });
  const [first = 0] = sizes;
  if (sizes.some((size) => size !== first))
    throw new ArgumentError(`microbatch: batches must be of one size, received ${sizes.join(", ")}`);
  return first;
}

/** Options of `microVmap`. */
export interface MicroVmapOptions {
  /** The batch's axis in each argument, null for one without; 0 for all unless given. */
  readonly inAxes?: number | readonly (number | null)[];
  /** How many examples run at once; all unless given. */
  readonly microbatchSize?: number | null;
  /** "concat" unless given: what vmap gives. */
  readonly accumulator?: Accumulation;
  readonly numRealMicrobatches?: TensorLike;
}

/**
 * vmap over parts of a batch, one after another. Source: optax.microbatching.micro_vmap.
 *
 * @throws as microbatch.
 * @example
 * const squares = optax.microbatching.microVmap((x: Tensor) => square(x), { microbatchSize: 2 });
 * squares(array([1, 2, 3, 4])); // [1, 4, 9, 16]
 */
export function microVmap<F extends AnyFunction>(
  fun: F,
  options: MicroVmapOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  checkKeys("microVmap", options, "inAxes microbatchSize accumulator numRealMicrobatches");
  const { inAxes = 0, microbatchSize, accumulator = "concat", numRealMicrobatches } = options;
  const mapped = vmap(fun, { inAxes });
  const reduced = (...args: Parameters<F>): unknown => {
    const all: unknown = mapped(...args);
    const [leaf] = tree.leaves(all);
    const count = asTensor(leaf as TensorLike, "microVmap").shape[0] ?? 1; // results are arrays
    return walk(accumulator, count, [all], (own, values: Tensor) => own.aggregate(values));
  };
  const run = (...args: Parameters<F>): unknown => {
    const axes = args.map((_, k) => (typeof inAxes === "number" ? inAxes : (inAxes[k] ?? null)));
    const batched = axes.flatMap((axis, k) => (axis === null ? [] : [k]));
    const real = numRealMicrobatches === undefined ? {} : { numRealMicrobatches };
    return microbatch(reduced, batched, microbatchSize, {
      accumulator,
      inAxes: axes.filter((axis) => axis !== null),
      ...real,
    })(...args);
  };
  return run as (...args: Parameters<F>) => ReturnType<F>; // results are like f's
}

/** Options of `microGrad`. */
export interface MicroGradOptions {
  readonly hasAux?: boolean;
  /** Which arguments to differentiate, 0. */
  readonly argnums?: number | readonly number[];
  /** Which have a batch, 1. */
  readonly batchArgnums?: number | readonly number[];
  /** Whether the function sees each example as a batch of one, true. */
  readonly keepBatchDim?: boolean;
  readonly microbatchSize?: number | null;
  /** How gradients become one, "sum". */
  readonly accumulator?: Accumulation;
  /** Applied to the gradient of each example, as clipping is. */
  readonly transformFn?: (gradient: never) => unknown;
  /** What to keep of the gradient of each example. */
  readonly metricsFn?: (gradient: never) => unknown;
  readonly numRealMicrobatches?: TensorLike;
}

/** What `microGrad` gives of each example beside the gradient. */
export interface IndividualOutputs {
  readonly values: Tensor;
  readonly metrics: unknown;
  readonly aux: unknown;
}

/**
 * Gradients of single examples, transformed and put together: `[gradient, { values, metrics, aux }]`. Source:
 * optax.microbatching.micro_grad.
 *
 * @throws as microbatch.
 * @example
 * const grads = optax.microbatching.microGrad((w: Tensor, x: Tensor) => sum(mul(w, x)), { microbatchSize: 2 });
 * grads(array(0.5), array([1, 2, 3, 4]))[0]; // 10
 */
export function microGrad(
  fun: AnyFunction,
  options: MicroGradOptions = {},
): (...args: readonly unknown[]) => [unknown, IndividualOutputs] {
  checkKeys(
    "microGrad",
    options,
    "hasAux? argnums batchArgnums keepBatchDim? microbatchSize accumulator transformFn metricsFn numRealMicrobatches",
  );
  const {
    hasAux = false,
    argnums = 0,
    batchArgnums = 1,
    keepBatchDim = true,
    microbatchSize,
    numRealMicrobatches,
  } = options;
  const { accumulator = "sum", transformFn = (gradient: unknown) => gradient, metricsFn = () => null } = options;
  const batched = listOf(batchArgnums);
  const derive = valueAndGrad((...args: unknown[]) => (hasAux ? fun(...args) : [fun(...args), null]), {
    argnums,
    hasAux: true,
  });
  const one = (...args: unknown[]): unknown => {
    const [[values, aux], gradient] = derive(...args) as [[unknown, unknown], never]; // hasAux
    return [transformFn(gradient), { values, metrics: metricsFn(gradient), aux }];
  };
  return (...args) => {
    const single = args.map((arg, k) =>
      keepBatchDim && batched.includes(k) ? tree.map((x: TensorLike) => expandDims(x, 1), arg) : arg,
    );
    const run = microVmap(one, {
      inAxes: args.map((_, k) => (batched.includes(k) ? 0 : null)),
      accumulator: [accumulator, "concat"],
      ...(microbatchSize === undefined ? {} : { microbatchSize }),
      ...(numRealMicrobatches === undefined ? {} : { numRealMicrobatches }),
    });
    return run(...single) as [unknown, IndividualOutputs]; // as `one` gives
  };
}
