import { valueAndGrad } from "@jnx/autodiff";
import { whileLoop } from "@jnx/compile";
import {
  abs,
  add,
  ArgumentError,
  array,
  astype,
  div,
  equal,
  greater,
  greaterEqual,
  isinf,
  isnan,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  mul,
  sqrt,
  square,
  sub,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { searchArguments, type LinesearchInfo } from "./linesearch.ts";
import { needed, treeFull, zeroCount } from "./moments.ts";
import type { GradientTransformation } from "./transformation.ts";
import { addScale, scale, vdot } from "./tree-ops.ts";
import { select } from "./wrappers.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** What a zoom ended with. */
export interface ZoomInfo extends LinesearchInfo {
  readonly curvatureError: TensorLike;
}

/** The memory of `scaleByZoomLinesearch`. */
export interface ZoomState {
  readonly learningRate: TensorLike;
  readonly value: TensorLike;
  readonly grad: unknown;
  readonly info: ZoomInfo;
}

/** Options of `scaleByZoomLinesearch`. */
export interface ZoomOptions {
  readonly maxLinesearchSteps: number;
  /** What steps are at most; no bound unless given. */
  readonly maxLearningRate?: number;
  /** How much of an error is none, 0. */
  readonly tol?: number;
  /** Multiplies steps while an interval is sought, 2. */
  readonly increaseFactor?: number;
  /** The share of the slope that a step must go down by, 1e-4. */
  readonly slopeRtol?: number;
  /** The share of the slope that may remain, 0.9. */
  readonly curvRtol?: number;
  /** How much the value may rise where it hardly changes, relative to it, 1e-6; null for not at all. */
  readonly approxDecRtol?: number | null;
  /** Intervals shorter than this end the search, 1e-5. */
  readonly stepsizePrecision?: number;
  /** "keep" begins with the step before, "one" with 1. */
  readonly initialGuessStrategy?: "keep" | "one";
}

type Point = readonly [step: Tensor, value: Tensor, slope: Tensor];

interface Search {
  readonly count: Tensor;
  readonly point: Point;
  readonly grad: unknown;
  readonly decreaseError: Tensor;
  readonly curvatureError: Tensor;
  readonly intervalFound: Tensor;
  readonly done: Tensor;
  readonly failed: Tensor;
  readonly low: Point;
  readonly high: Point;
  readonly cubic: readonly [step: Tensor, value: Tensor];
  readonly safe: readonly [step: Tensor, value: Tensor, grad: unknown];
}

/**
 * Scales updates by a step at which the value is low enough and the slope flat enough: steps grow until such a point
 * lies in an interval, which cubic and quadratic models then narrow. `update` needs `{ value, grad, valueFn }`. Source:
 * optax.scale_by_zoom_linesearch; Nocedal & Wright, algorithms 3.5 and 3.6; Hager & Zhang 2006.
 *
 * @throws ArgumentError for another strategy, and when `update` is called without params or without value, grad and valueFn.
 * @example
 * const valueFn = (w: Tensor) => jnp.sum(jnp.square(w));
 * const tx = optax.chain(optax.sgd(1), optax.scaleByZoomLinesearch({ maxLinesearchSteps: 15 }));
 * const w = array([1.5, 2]);
 * const [value, grad] = valueAndGrad(valueFn)(w);
 * tx.update(grad, tx.init(w), w, { value, grad, valueFn })[0]; // [-1.5, -2]
 */
export function scaleByZoomLinesearch(options: ZoomOptions): GradientTransformation<ZoomState> {
  checkKeys(
    "scaleByZoomLinesearch",
    options,
    "maxLinesearchSteps maxLearningRate tol increaseFactor slopeRtol curvRtol approxDecRtol",
    "stepsizePrecision initialGuessStrategy",
  );
  const name = "scaleByZoomLinesearch";
  const { maxLinesearchSteps, initialGuessStrategy = "keep" } = options;
  if (initialGuessStrategy !== "keep" && initialGuessStrategy !== "one")
    throw new ArgumentError(
      `${name}: initialGuessStrategy is "keep" or "one", received ${JSON.stringify(initialGuessStrategy)}`,
    );
  return {
    init: (params) => ({
      learningRate: array(1, { dtype: "float32" }),
      value: infinity(),
      grad: treeFull(params),
      info: { numLinesearchSteps: zeroCount(), decreaseError: infinity(), curvatureError: infinity() },
    }),
    update: (updates, state, given, extra) => {
      const params = needed(name, given);
      const { value, grad, valueFn } = searchArguments(name, extra);
      const start = array(value, { dtype: "float32" });
      const line: Line = {
        options,
        value: start,
        slope: vdot<unknown>(updates, grad),
        guess: initialGuessStrategy === "one" ? array(1, { dtype: "float32" }) : array(state.learningRate),
        at: (step) => {
          const [v, g] = valueAndGrad(valueFn)(addScale<unknown>(params, step, updates));
          return { value: astype(v, "float32"), grad: g, slope: vdot<unknown>(g, updates) };
        },
      };
      const found = whileLoop(
        ({ done, failed }: Search) => logicalNot(logicalOr(done, failed)),
        (search: Search) => stepped(line, search),
        begun(line, grad),
        { maxIterations: maxLinesearchSteps },
      );
      const { count, point, decreaseError, curvatureError } = found;
      const [learningRate, reached] = point;
      const info = { numLinesearchSteps: count, decreaseError, curvatureError };
      return [scale(learningRate, updates), { learningRate, value: reached, grad: found.grad, info }];
    },
  };
}

/** The function along the direction of the updates. */
interface Line {
  readonly options: ZoomOptions;
  readonly value: Tensor;
  readonly slope: Tensor;
  readonly guess: Tensor;
  at(step: Tensor): { readonly value: Tensor; readonly grad: unknown; readonly slope: Tensor };
}

function infinity(): Tensor {
  return array(Number.POSITIVE_INFINITY);
}

function begun({ value, slope }: Line, grad: unknown): Search {
  const [zero, no] = [array(0, { dtype: "float32" }), array(false)];
  const here: Point = [zero, value, slope];
  return {
    count: zeroCount(),
    point: here,
    grad,
    decreaseError: infinity(),
    curvatureError: infinity(),
    intervalFound: no,
    done: no,
    failed: no,
    low: here,
    high: here,
    cubic: [zero, value],
    safe: [zero, value, grad],
  };
}

function noNan(x: Tensor): Tensor {
  return where(isnan(x), Number.POSITIVE_INFINITY, maximum(x, 0));
}

/** How far a point is from a sufficient decrease and from a sufficiently flat slope. */
function errorsAt(line: Line, [step, value, slope]: Point): { readonly decrease: Tensor; readonly curvature: Tensor } {
  const { slopeRtol = 1e-4, curvRtol = 0.9, approxDecRtol = 1e-6 } = line.options;
  const exact = sub(sub(value, line.value), mul(mul(slopeRtol, step), line.slope));
  const curvature = noNan(sub(abs(slope), mul(curvRtol, abs(line.slope))));
  if (approxDecRtol === null) return { decrease: noNan(exact), curvature };
  const flat = sub(slope, mul(2 * slopeRtol - 1, line.slope));
  const risen = sub(sub(value, line.value), mul(approxDecRtol, abs(line.value)));
  return { decrease: noNan(minimum(maximum(flat, risen), exact)), curvature };
}

/** One evaluation: of a longer step while no interval is known, and within it afterwards. */
function stepped(line: Line, search: Search): Search {
  const { maxLearningRate, increaseFactor = 2, maxLinesearchSteps } = line.options;
  const longer = where(equal(search.count, 0), line.guess, mul(increaseFactor, search.point[0]));
  const bounded = maxLearningRate === undefined ? longer : minimum(longer, maxLearningRate);
  const atBound = maxLearningRate === undefined ? array(false) : greaterEqual(longer, maxLearningRate);
  const step = where(search.intervalFound, middleOf(search), bounded);
  const { value, grad, slope } = line.at(step);
  const point: Point = [step, value, slope];
  const errors = errorsAt(line, point);
  const seen = { point, grad, errors, error: maximum(errors.decrease, errors.curvature) };
  const next = select(search.intervalFound, zoomed(line, search, seen), grown(line, search, seen, atBound));
  const last = greaterEqual(add(search.count, 1), maxLinesearchSteps);
  const tooSmall = logicalAnd(search.intervalFound, tooShort(line, search, next));
  const failed = logicalAnd(logicalOr(last, tooSmall), logicalNot(next.done));
  return safest({ ...next, count: add(search.count, 1), failed });
}

interface Seen {
  readonly point: Point;
  readonly grad: unknown;
  readonly errors: { readonly decrease: Tensor; readonly curvature: Tensor };
  readonly error: Tensor;
}

/** The interval is too short to go on, and a safe step is known. */
function tooShort({ options: { stepsizePrecision = 1e-5 } }: Line, search: Search, next: Search): Tensor {
  const width = abs(sub(search.high[0], search.low[0]));
  return logicalAnd(lessEqual(width, stepsizePrecision), greater(next.safe[0], 0));
}

/** A search that failed falls back to the best step that went down enough. */
function safest(search: Search): Search {
  const [step, value, slope] = search.point;
  const back = logicalAnd(search.failed, logicalOr(greater(search.safe[0], 0), isinf(search.decreaseError)));
  return {
    ...search,
    point: [where(back, search.safe[0], step), where(back, search.safe[1], value), slope],
    grad: select<unknown>(back, search.safe[2], search.grad),
  };
}

function common(
  search: Search,
  { point, grad, errors }: Seen,
): Pick<Search, "point" | "grad" | "decreaseError" | "curvatureError" | "count" | "failed"> {
  const { count, failed } = search;
  return { point, grad, decreaseError: errors.decrease, curvatureError: errors.curvature, count, failed };
}

/** While no interval is known: whether the last two steps hold one. */
function grown({ options: { tol = 0 } }: Line, search: Search, seen: Seen, atBound: Tensor): Search {
  const { point, grad, errors, error } = seen;
  const before = search.point;
  const safe = lessEqual(errors.decrease, tol);
  const risen = logicalAnd(greaterEqual(point[1], before[1]), greater(search.count, 0));
  const isHigh = logicalOr(greater(errors.decrease, 0), risen);
  const isLow = logicalAnd(greaterEqual(point[2], 0), logicalNot(isHigh));
  const ended = lessEqual(error, tol);
  const intervalFound = logicalOr(logicalOr(isHigh, isLow), ended);
  const low: Point = select(isLow, point, before);
  return {
    ...common(search, seen),
    intervalFound,
    done: logicalOr(ended, logicalAnd(atBound, logicalNot(intervalFound))),
    low,
    high: select(isLow, before, point),
    cubic: [low[0], low[1]],
    safe: select(safe, [point[0], point[1], grad] as const, search.safe),
  };
}

/** Within an interval: which end the point replaces. */
function zoomed({ options: { tol = 0 } }: Line, search: Search, seen: Seen): Search {
  const { point, grad, errors, error } = seen;
  const { low, high } = search;
  const safe = logicalAnd(lessEqual(errors.decrease, tol), less(point[1], search.safe[1]));
  const toHigh = logicalOr(greater(errors.decrease, 0), greaterEqual(point[1], low[1]));
  const turned = greaterEqual(mul(point[2], sub(high[0], low[0])), 0);
  const highToLow = logicalAnd(turned, logicalNot(toHigh));
  const highMoves = logicalOr(toHigh, highToLow);
  const nextHigh: Point = select(highToLow, low, select(toHigh, point, high));
  return {
    ...common(search, seen),
    intervalFound: search.intervalFound,
    done: lessEqual(error, tol),
    low: select(toHigh, low, point),
    high: nextHigh,
    cubic: select(highMoves, [high[0], high[1]] as const, [low[0], low[1]] as const),
    safe: select(safe, [point[0], point[1], grad] as const, search.safe),
  };
}

/** The minimum of a cubic model of the interval, else of a quadratic one, else its middle. */
function middleOf({ low, high, cubic }: Search): Tensor {
  const [a, fa, ga] = low;
  const [b, fb] = high;
  const width = abs(sub(b, a));
  const [left, right] = [minimum(a, b), maximum(a, b)];
  const within = (x: Tensor, margin: number): Tensor =>
    logicalAnd(greater(x, add(left, mul(margin, width))), less(x, sub(right, mul(margin, width))));
  const third = cubicMinimum(a, fa, ga, b, fb, cubic[0], cubic[1]);
  const second = quadraticMinimum(a, fa, ga, b, fb);
  const half = div(add(a, b), 2);
  return where(within(third, 0.2), third, where(within(second, 0.1), second, half));
}

/** Where the cubic through (a, fa) with slope ga, (b, fb) and (c, fc) is least. */
function cubicMinimum(a: Tensor, fa: Tensor, ga: Tensor, b: Tensor, fb: Tensor, c: Tensor, fc: Tensor): Tensor {
  const [db, dc] = [sub(b, a), sub(c, a)];
  const denominator = mul(square(mul(db, dc)), sub(db, dc));
  const rb = sub(sub(fb, fa), mul(ga, db));
  const rc = sub(sub(fc, fa), mul(ga, dc));
  const cube = (x: Tensor): Tensor => mul(square(x), x);
  const p = div(sub(mul(square(dc), rb), mul(square(db), rc)), denominator);
  const q = div(sub(mul(cube(db), rc), mul(cube(dc), rb)), denominator);
  return add(a, div(sub(sqrt(sub(square(q), mul(mul(3, p), ga))), q), mul(3, p)));
}

/** Where the parabola through (a, fa) with slope ga and (b, fb) is least. */
function quadraticMinimum(a: Tensor, fa: Tensor, ga: Tensor, b: Tensor, fb: Tensor): Tensor {
  const db = sub(b, a);
  const p = div(sub(sub(fb, fa), mul(ga, db)), square(db));
  return sub(a, div(ga, mul(2, p)));
}
