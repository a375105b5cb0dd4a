import { ArgumentError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { normalizeAxis, reducedShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { argmax } from "../arg-reduce.ts";
import { convert } from "../convert.ts";
import { asTensor, broadcastedIota, full, type TensorLike } from "../create.ts";
import { add, div, equal, isnan, logicalAnd, logicalNot, logicalOr, mul, sqrt, sub, where } from "../elementwise.ts";
import { takeAlongAxis } from "../indexing.ts";
import { concatenate, sliceAlong } from "../join.ts";
import { std } from "../moments.ts";
import { moveaxis, ravel, reshape } from "../movement.ts";
import { atleast1d } from "../rank.ts";
import { any, floating, max, sum } from "../reduce.ts";
import { cummax, cummin, cumsum } from "../scan.ts";
import { argsort, sort } from "../sorting.ts";
import { nanstd } from "../statistics.ts";
import { isFloat } from "../../dtype.ts";

/** Functions of samples: what comes most often, ranks, and the error of a mean. */

type NanPolicy = "propagate" | "omit" | "raise";

function checkPolicy(name: string, policy: NanPolicy, known: readonly NanPolicy[]): void {
  if (known.includes(policy)) return;
  const values = known.map((one) => JSON.stringify(one)).join(" or ");
  throw new ArgumentError(`${name}: nanPolicy is ${values}, as in JAX, received ${JSON.stringify(policy)}`);
}

/** NaN counts as equal to NaN. */
function isSame(a: Tensor, b: Tensor): Tensor {
  return isFloat(a.dtype) ? logicalOr(equal(a, b), logicalAnd(isnan(a), isnan(b))) : equal(a, b);
}

/** Whether an element of sorted lines (the last axis) differs from the one before it. */
function begins(lines: Tensor): Tensor {
  const axis = lines.ndim - 1;
  const n = at(lines.shape, axis);
  const first = full([...lines.shape.slice(0, -1), 1], true, { dtype: "bool" });
  if (n === 1) return first;
  const same = isSame(sliceAlong(lines, axis, 1, n), sliceAlong(lines, axis, 0, n - 1));
  return concatenate([first, logicalNot(same)], { axis });
}

const places = (lines: Tensor): Tensor => broadcastedIota("int32", lines.shape, lines.ndim - 1);

export interface ModeOptions {
  /** The axis to look along, 0 unless told; null for all elements. */
  readonly axis?: number | null;
  readonly nanPolicy?: "propagate";
  readonly keepdims?: boolean;
}

/**
 * What comes most often along an axis, the smallest of several, and how often (int32). NaN counts as one value. Source:
 * jax.scipy.stats.mode.
 *
 * @throws ShapeError when the axis is out of range, ArgumentError for a nanPolicy other than "propagate".
 * @example await scipyStats.mode(array([2, 4, 1, 4])).count.item(); // 2
 */
export function mode(a: TensorLike, options: ModeOptions = {}): { mode: Tensor; count: Tensor } {
  checkOptions("mode", options, { axis: true, nanPolicy: true, keepdims: "flag" });
  checkPolicy("mode", options.nanPolicy ?? "propagate", ["propagate"]);
  const x = atleast1d(asTensor(a, "mode"));
  const { axis: told = 0, keepdims = false } = options;
  const axis = told === null ? 0 : normalizeAxis("mode", told, x.ndim);
  const axes = told === null ? x.shape.map((_, k) => k) : [axis];
  const shape = reducedShape(x.shape, axes, keepdims);
  const lines = sort(told === null ? ravel(x) : moveaxis(x, axis, -1));
  if (lines.shape.at(-1) === 0)
    return { mode: full(shape, Number.NaN, { dtype: "float32" }), count: full(shape, 0, { dtype: "float32" }) };
  const start = cummax(where(begins(lines), places(lines), 0), lines.ndim - 1);
  const length = add(sub(places(lines), start), 1);
  const last = argmax(length, { axis: -1, keepdims: true });
  return {
    mode: reshape(takeAlongAxis(lines, last, lines.ndim - 1), shape),
    count: reshape(max(length, { axis: -1 }), shape),
  };
}

const METHODS = ["average", "min", "max", "dense", "ordinal"] as const;

export interface RankdataOptions {
  /** What equal elements get: the mean of their ranks (unless told), the least, the largest, ranks without gaps, or one each in turn. */
  readonly method?: (typeof METHODS)[number];
  /** The axis to rank along; all elements in one line unless told. */
  readonly axis?: number | null;
  readonly nanPolicy?: "propagate";
}

/** Ranks of sorted lines. */
function ranksOf(lines: Tensor, method: (typeof METHODS)[number]): Tensor {
  const axis = lines.ndim - 1;
  const n = at(lines.shape, axis);
  const first = begins(lines);
  if (method === "ordinal") return add(places(lines), 1);
  if (method === "dense") return cumsum(convert(first, "int32"), { axis });
  const least = add(cummax(where(first, places(lines), 0), axis), 1);
  if (method === "min") return least;
  const last = concatenate(
    [sliceAlong(first, axis, 1, n), full([...lines.shape.slice(0, -1), 1], true, { dtype: "bool" })],
    {
      axis,
    },
  );
  const most = add(cummin(where(last, places(lines), n - 1), axis, { reverse: true }), 1);
  return method === "max" ? most : mul(0.5, convert(add(least, most), "float32"));
}

/**
 * Ranks from 1 on, float32; NaN for all of a line that holds one. Without an axis the result is flat. Source:
 * jax.scipy.stats.rankdata.
 *
 * @throws ShapeError when the axis is out of range, ArgumentError for an unknown method or another nanPolicy than "propagate".
 * @example await scipyStats.rankdata(array([0, 2, 3, 2])).toArray(); // [1, 2.5, 4, 2.5]
 */
export function rankdata(a: TensorLike, options: RankdataOptions = {}): Tensor {
  checkOptions("rankdata", options, { method: true, axis: true, nanPolicy: true });
  checkPolicy("rankdata", options.nanPolicy ?? "propagate", ["propagate"]);
  const { method = "average", axis: told = null } = options;
  if (!METHODS.includes(method))
    throw new ArgumentError(
      `rankdata: method is one of ${METHODS.map((one) => `"${one}"`).join(", ")}, received ${JSON.stringify(method)}`,
    );
  const x = asTensor(a, "rankdata");
  const axis = told === null ? 0 : normalizeAxis("rankdata", told, x.ndim);
  const lines = told === null ? ravel(x) : moveaxis(x, axis, -1);
  if (lines.size === 0) return moveaxis(convert(lines, "float32"), -1, axis);
  const order = argsort(lines);
  const sorted = takeAlongAxis(lines, order, lines.ndim - 1);
  const ranks = takeAlongAxis(convert(ranksOf(sorted, method), "float32"), argsort(order), lines.ndim - 1);
  const found = isFloat(x.dtype) ? where(any(isnan(lines), { axis: -1, keepdims: true }), Number.NaN, ranks) : ranks;
  return moveaxis(found, -1, axis);
}

export interface SemOptions {
  /** The axis of the samples, 0 unless told; null for all elements. */
  readonly axis?: number | null;
  /** Taken off the number of samples, 1 unless told. */
  readonly ddof?: number;
  /** What NaN does: makes NaN ("propagate", unless told), or is left out ("omit"). */
  readonly nanPolicy?: "propagate" | "omit";
  readonly keepdims?: boolean;
}

/**
 * The standard error of the mean, the deviation over √n. Source: jax.scipy.stats.sem.
 *
 * @throws ShapeError when the axis is out of range, ArgumentError for an unknown nanPolicy.
 * @example await scipyStats.sem(array([1, 2, 4])).item(); // 0.88192
 */
export function sem(a: TensorLike, options: SemOptions = {}): Tensor {
  checkOptions("sem", options, { axis: true, ddof: "number", nanPolicy: true, keepdims: "flag" });
  const { axis: told = 0, ddof = 1, nanPolicy = "propagate", keepdims = false } = options;
  checkPolicy("sem", nanPolicy, ["propagate", "omit"]);
  const x = floating(a, "sem");
  const axis = told === null ? null : normalizeAxis("sem", told, x.ndim);
  if (nanPolicy === "omit") {
    const count = sum(convert(logicalNot(isnan(x)), x.dtype), { axis, keepdims });
    return div(nanstd(x, { axis, ddof, keepdims }), sqrt(count));
  }
  return div(std(x, { axis, ddof, keepdims }), Math.sqrt(axis === null ? x.size : at(x.shape, axis)));
}
