import {
  op_binomial_large,
  op_binomial_small,
  op_binomial_trials,
  op_geometric_from_bits,
  op_poisson_large,
  op_poisson_small,
  op_poisson_trials,
} from "@jnx/kernels-wgsl";
import { ShapeError } from "../../errors.ts";
import { sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { composite } from "../composite.ts";
import { convert } from "../convert.ts";
import { literal, type TensorLike } from "../create.ts";
import {
  add,
  clip,
  div,
  equal,
  floor,
  isinf,
  isnan,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  mul,
  sub,
  where,
} from "../elementwise.ts";
import { stack } from "../join.ts";
import { broadcastTo, laxSlice, moveaxis, reshape } from "../movement.ts";
import { max } from "../reduce.ts";
import { call, draw, drawing, zero } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey, splitKeys } from "./keys.ts";
import { drawRejected, rejection } from "./rejection.ts";
import { as, countDType, drawShape, float, spread, type CountOptions } from "./shapes.ts";
import { checkOptions } from "../../options.ts";

const MULTINOMIAL_OPTIONS = { shape: true } as const;

/** For one p, and for an array of them: XLA divides by the first otherwise. */
function geometricDraw(one: boolean): ReturnType<typeof drawing> {
  return drawing("random_geometric", "float32", ([bits = ""], [p = ""], context) =>
    call(context, op_geometric_from_bits, bits, p, `B(${one})`, zero(context)),
  );
}

const geometricOp = /* @__PURE__ */ geometricDraw(true);
const geometricsOp = /* @__PURE__ */ geometricDraw(false);

/**
 * Trials up to the first success, each of probability p: int32, unless told, from 1 on. The shape is p's unless told.
 * Source: jax.random.geometric.
 *
 * @throws ArgumentError when k is not one key, ShapeError when p does not fit the shape, DtypeError for no integers.
 * @example await random.geometric(random.key(42), 0.3, [8]).toArray(); // [3, 2, 2, 2, 3, 2, 8, 1]
 */
export function geometric(k: TensorLike, p: TensorLike, shape?: Shape, options: CountOptions = {}): Tensor {
  const source = checkedKey("geometric", k);
  const dtype = countDType("geometric", options);
  const chance = float(p, "random.geometric");
  const full = drawShape("geometric", shape, chance.shape);
  return composite("geometric", () => {
    const op = chance.ndim === 0 ? geometricOp : geometricsOp;
    return as(convert(draw(op, source, full, [spread(chance, full)]), "int32"), dtype);
  });
}

const poissonSmallOp = /* @__PURE__ */ rejection("poisson", op_poisson_small);
const poissonTrialsOp = /* @__PURE__ */ rejection("poisson", op_poisson_trials);
const poissonLargeOp = /* @__PURE__ */ rejection("poisson", op_poisson_large);

/**
 * Events where lam are expected, int32 unless told; −1 where lam is negative or NaN. The shape is lam's unless told.
 * Source: jax.random.poisson.
 *
 * @throws ArgumentError when k is not one key, ShapeError when lam does not fit the shape, DtypeError for no integers.
 * @example
 * await random.poisson(random.key(42), 3, [8]).toArray(); // [6, 2, 2, 1, 5, 2, 3, 3]
 */
export function poisson(k: TensorLike, lam: TensorLike, shape?: Shape, options: CountOptions = {}): Tensor {
  const source = checkedKey("poisson", k);
  const dtype = countDType("poisson", options);
  const mean = float(lam, "random.poisson");
  const full = drawShape("poisson", shape, mean.shape);
  if (sizeOf(full) === 0) return literal(0, full, dtype);
  return composite("poisson", () => {
    const all = broadcastTo(mean, full);
    const small = logicalOr(isnan(all), less(all, 10));
    const few = drawRejected(poissonSmallOp, source, full, [where(small, all, 0)]);
    const rate = where(small, 100000, all);
    const trials = broadcastTo(max(drawRejected(poissonTrialsOp, source, full, [rate])), full);
    const many = drawRejected(poissonLargeOp, source, full, [rate, trials]);
    const known = where(small, where(isnan(all), -1, few), many);
    return as(convert(where(equal(all, 0), 0, known), "int32"), dtype);
  });
}

const binomialSmallOp = /* @__PURE__ */ rejection("binomial", op_binomial_small, ["B(true)"]);
const binomialSmallsOp = /* @__PURE__ */ rejection("binomial", op_binomial_small, ["B(false)"]);
const binomialTrialsOp = /* @__PURE__ */ rejection("binomial", op_binomial_trials);
const binomialLargeOp = /* @__PURE__ */ rejection("binomial", op_binomial_large);

/**
 * Successes in n trials of probability p, float32; NaN where n or p is negative or NaN, infinite for infinitely many.
 * The shape is the parameters' unless told. Source: jax.random.binomial.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the parameters do not fit the shape.
 * @example
 * await random.binomial(random.key(42), 10, 0.3, [6]).toArray(); // [2, 5, 2, 2, 4, 3]
 */
export function binomial(k: TensorLike, n: TensorLike, p: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("binomial", k);
  return drawBinomial("binomial", source, float(n, "random.binomial"), float(p, "random.binomial"), shape);
}

function drawBinomial(name: string, source: KeyArray, n: Tensor, p: Tensor, shape: Shape | undefined): Tensor {
  const full = drawShape(name, shape, n.shape, p.shape);
  if (sizeOf(full) === 0) return literal(0, full, "float32");
  return composite(name, () => {
    const [count, chance] = [broadcastTo(n, full), broadcastTo(p, full)];
    const rare = less(chance, 0.5);
    const given = where(rare, chance, sub(1, chance));
    const noCount = logicalOr(isnan(count), less(count, 0));
    const noChance = logicalOr(isnan(given), less(given, 0));
    const q = where(noChance, 0.01, given);
    const small = logicalOr(noCount, lessEqual(mul(count, q), 10));
    const whole = floor(count);
    const op = p.ndim === 0 ? binomialSmallOp : binomialSmallsOp;
    const few = drawRejected(op, source, full, [where(small, where(noCount, 0, whole), 0), q]);
    const [large, largeQ] = [where(small, 10000, whole), where(small, 0.5, q)];
    const trials = broadcastTo(max(drawRejected(binomialTrialsOp, source, full, [large, largeQ])), full);
    const many = drawRejected(binomialLargeOp, source, full, [large, largeQ, trials]);
    const drawn = where(small, few, many);
    const invalid = logicalOr(noCount, noChance);
    const found = where(invalid, Number.NaN, where(logicalAnd(isinf(count), rare), Number.POSITIVE_INFINITY, drawn));
    const plain = logicalOr(logicalOr(rare, noCount), logicalOr(isnan(given), isinf(count)));
    return where(
      plain,
      where(isinf(count), where(invalid, Number.NaN, Number.POSITIVE_INFINITY), found),
      sub(whole, found),
    );
  });
}

/**
 * How often each of the categories of the last axis of p comes up in n trials, float32. p need not sum to 1. The shape,
 * the last axis included, is p's unless told. Source: jax.random.multinomial.
 *
 * @throws ArgumentError when k is not one key, ShapeError when p is a scalar or does not fit the shape.
 * @example
 * await random.multinomial(random.key(42), 10, array([0.1, 0.2, 0.3, 0.4])).toArray(); // [0, 1, 3, 6]
 */
export function multinomial(
  k: TensorLike,
  n: TensorLike,
  p: TensorLike,
  options: { readonly shape?: Shape } = {},
): Tensor {
  checkOptions("random.multinomial", options, MULTINOMIAL_OPTIONS);
  const source = checkedKey("multinomial", k);
  const chances = float(p, "random.multinomial");
  if (chances.ndim === 0)
    throw new ShapeError("random.multinomial: p must have at least one axis, received a scalar; pass array([…])");
  const full = drawShape("multinomial", options.shape ?? chances.shape, chances.shape);
  const rows = full.slice(0, -1);
  return composite("multinomial", () => {
    const each = moveaxis(broadcastTo(chances, full), -1, 0);
    const kinds = at(full, full.length - 1);
    const part = (i: number): Tensor => reshape(laxSlice(each, [i, ...rows.map(() => 0)], [i + 1, ...rows]), rows);
    const keys = splitKeys(source, kinds);
    const later = remaining(Array.from({ length: kinds }, (_, i) => part(i)));
    let left = broadcastTo(float(n, "random.multinomial"), rows);
    const counts = later.map(([chance, rest], i) => {
      const ratio = div(chance, where(equal(rest, 0), 1, rest));
      const count = drawBinomial("multinomial", at(keys, i), left, clip(ratio, 0, 1), undefined);
      left = sub(left, count);
      return count;
    });
    return stack(counts, { axis: -1 });
  });
}

/** Each chance with the sum of itself and all after it. */
function remaining(chances: readonly Tensor[]): [Tensor, Tensor][] {
  const found: [Tensor, Tensor][] = [];
  for (const chance of [...chances].reverse()) {
    const after = found[0]?.[1];
    found.unshift([chance, after === undefined ? chance : add(after, chance)]);
  }
  return found;
}
