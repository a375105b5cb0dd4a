import { ArgumentError, ShapeError } from "../../errors.ts";
import { checkShape, normalizeAxis, sameShape, shapeText, sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { argmax } from "../arg-reduce.ts";
import { composite } from "../composite.ts";
import { convert } from "../convert.ts";
import { asTensor, literal, type TensorLike } from "../create.ts";
import { add, less, lessEqual, log, logicalAnd, minimum, mul, neg, sub, where } from "../elementwise.ts";
import { take } from "../indexing.ts";
import { concatenate, stack } from "../join.ts";
import { laxSlice, moveaxis, reshape } from "../movement.ts";
import { sortPairs } from "../sort.ts";
import { draw, unitOp } from "./draw.ts";
import { drawGumbel, type GumbelMode } from "./gumbel.ts";
import { drawIntegers } from "./integers.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey } from "./keys.ts";
import { order, permutation } from "./order.ts";
import { drawShape, float } from "./shapes.ts";
import { checkOptions } from "../../options.ts";

const CATEGORICAL_OPTIONS = { axis: "number", shape: true, replace: "flag", mode: true } as const;
const CHOICE_OPTIONS = { replace: "flag", p: true, axis: "number", mode: true } as const;

export interface CategoricalOptions {
  /** The axis of the categories, −1. */
  readonly axis?: number;
  /** The shape of the result, that of the logits without the axis unless told; more axes come in front. */
  readonly shape?: Shape;
  /** False: the draws along the axes in front are all different. */
  readonly replace?: boolean;
  readonly mode?: GumbelMode;
}

/**
 * Indices of categories whose log-probabilities the logits are, up to a constant: the largest logit plus Gumbel noise.
 * int32. Source: jax.random.categorical.
 *
 * @throws ShapeError when the logits do not fit the shape, ArgumentError when fewer categories than draws without replacement.
 * @example
 * await random.categorical(random.key(42), array([0.1, 2, 0.3]), { shape: [8] }).toArray(); // [1, 1, 1, 2, 1, 1, 1, 2]
 */
export function categorical(k: TensorLike, logits: TensorLike, options: CategoricalOptions = {}): Tensor {
  checkOptions("random.categorical", options, CATEGORICAL_OPTIONS);
  const source = checkedKey("categorical", k);
  const scores = float(logits, "random.categorical");
  const axis = normalizeAxis("random.categorical", options.axis ?? -1, scores.ndim);
  const batch = scores.shape.filter((_, other) => other !== axis);
  const shape = drawShape("categorical", options.shape, batch);
  const prefix = shape.slice(0, shape.length - batch.length);
  return composite("categorical", () => {
    if (options.replace === false) return distinct(source, scores, axis, sizeOf(prefix), shape, options.mode);
    const inner = shape.slice(prefix.length);
    const full = [...prefix, ...inner.slice(0, axis), at(scores.shape, axis), ...inner.slice(axis)];
    const noise = drawGumbel("categorical", source, full, options.mode);
    return argmax(add(noise, scores), { axis: axis - scores.ndim });
  });
}

/** The `count` largest sums of logits and noise along the axis, as the first axes of the result. */
function distinct(
  source: KeyArray,
  scores: Tensor,
  axis: number,
  count: number,
  shape: Shape,
  mode: GumbelMode | undefined,
): Tensor {
  const n = at(scores.shape, axis);
  if (count > n)
    throw new ArgumentError(
      `random.categorical: ${count} draws without replacement from ${n} categories; ask for fewer, or let replace be true`,
    );
  const noisy = moveaxis(add(scores, drawGumbel("categorical", source, scores.shape, mode)), axis, -1);
  return reshape(moveaxis(largest(noisy, count), -1, 0), shape);
}

/** Where the `count` largest numbers of the last axis are, from the largest on; of equals the first comes first. int32. */
function largest(x: Tensor, count: number): Tensor {
  const places = sortPairs(neg(x));
  const starts = places.shape.map(() => 0);
  return convert(laxSlice(places, starts, [...places.shape.slice(0, -1), count]), "int32");
}

export interface ChoiceOptions {
  /** False: no element twice. */
  readonly replace?: boolean;
  /** A probability for each element, up to a factor; all alike unless told. */
  readonly p?: TensorLike;
  /** The axis along which an array's slices are chosen, 0. */
  readonly axis?: number;
  readonly mode?: GumbelMode;
}

/**
 * Elements of an array, or of 0 … a−1, at random. Source: jax.random.choice.
 *
 * @throws ArgumentError when there is nothing to choose from, or too little without replacement; ShapeError when p is not
 * one number for each element.
 * @example
 * await random.choice(random.key(42), 10, [5]).toArray(); // [4, 4, 1, 9, 9]
 * await random.choice(random.key(42), 10, [5], { replace: false }).toArray(); // [7, 4, 2, 5, 3]
 */
export function choice(k: TensorLike, a: number | Tensor, shape: Shape = [], options: ChoiceOptions = {}): Tensor {
  checkOptions("random.choice", options, CHOICE_OPTIONS);
  const source = checkedKey("choice", k);
  const checked = checkShape("random.choice", shape);
  const pool = typeof a === "number" || a.ndim === 0 ? undefined : a;
  if (pool === undefined && typeof a !== "number")
    throw new ShapeError("random.choice: a scalar array holds nothing to choose from; pass a number for 0 … a−1");
  const axis = pool === undefined ? 0 : normalizeAxis("random.choice", options.axis ?? 0, pool.ndim);
  const n = pool === undefined ? Number(a) : at(pool.shape, axis);
  const draws = sizeOf(checked);
  if (draws === 0) return literal(0, checked, pool?.dtype ?? "int32");
  checkChoice(n, draws, options);
  return composite("choice", () => {
    if (options.p === undefined && options.replace === false) return firstOf(source, pool ?? n, axis, checked);
    const index = indices(source, n, checked, options);
    return pool === undefined ? index : take(pool, index, { axis });
  });
}

function checkChoice(n: number, draws: number, options: ChoiceOptions): void {
  if (!Number.isInteger(n) || n <= 0)
    throw new ArgumentError(`random.choice: nothing to choose from, a is ${n}; it must be a whole number above 0`);
  if (options.replace === false && draws > n)
    throw new ArgumentError(
      `random.choice: ${draws} draws without replacement from ${n} elements; ask for fewer, or let replace be true`,
    );
  if (options.p === undefined) return;
  const { shape } = asTensor(options.p, "random.choice");
  if (!sameShape(shape, [n]))
    throw new ShapeError(
      `random.choice: p must hold one probability for each of ${n} elements, received ${shapeText(shape)}`,
    );
}

/** The beginning of a random order. */
function firstOf(source: KeyArray, pool: number | Tensor, axis: number, shape: Shape): Tensor {
  const whole = typeof pool === "number" ? order(source, pool) : permutation(source, pool, { axis });
  const limits = whole.shape.map((extent, k) => (k === axis ? sizeOf(shape) : extent));
  const cut = laxSlice(
    whole,
    limits.map(() => 0),
    limits,
  );
  return reshape(cut, [...cut.shape.slice(0, axis), ...shape, ...cut.shape.slice(axis + 1)]);
}

function indices(source: KeyArray, n: number, shape: Shape, { p, replace, mode }: ChoiceOptions): Tensor {
  if (p === undefined) return drawIntegers(source, shape, [0, n], "int32");
  const chances = float(p, "random.choice");
  if (replace === false)
    return reshape(largest(add(drawGumbel("choice", source, [n], mode), log(chances)), sizeOf(shape)), shape);
  const sums = runningSum(chances);
  const total = reshape(laxSlice(sums, [n - 1], [n]), []);
  return search(sums, mul(total, sub(1, draw(unitOp, source, shape))));
}

/** Sums of the first elements, added in pairs of pairs as lax.associative_scan does. */
function runningSum(x: Tensor): Tensor {
  const n = at(x.shape, 0);
  if (n < 2) return x;
  const half = n >> 1;
  const every = (start: number, limit = n): Tensor => laxSlice(x, [start], [limit], [2]);
  const odd = runningSum(add(every(0, n - 1), every(1)));
  const before = laxSlice(odd, [0], [n % 2 === 0 ? half - 1 : half]);
  const later = n > 2 ? [add(before, every(2))] : [];
  const even = concatenate([laxSlice(x, [0], [1]), ...later]);
  const pairs = stack([laxSlice(even, [0], [half]), odd], { axis: 1 });
  return n % 2 === 0 ? reshape(pairs, [n]) : concatenate([reshape(pairs, [n - 1]), laxSlice(even, [half], [half + 1])]);
}

/** How many of the ascending sums are below each value: jnp.searchsorted. */
function search(sums: Tensor, values: Tensor): Tensor {
  const n = at(sums.shape, 0);
  let place = literal(0, values.shape, "int32");
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const next = add(place, step);
    const below = less(take(sums, sub(minimum(next, n), 1)), values);
    place = where(logicalAnd(lessEqual(next, n), below), next, place);
  }
  return place;
}
