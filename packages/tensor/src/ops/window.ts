import { rangeOf } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { AnyOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { add, maximum, minimum, mul, where } from "./elementwise.ts";
import { laxSlice } from "./movement.ts";
import { pad } from "./pad.ts";
import { dilated, resolvePadding, resolveSteps, type Padding } from "./padding.ts";
import { soleOp } from "./sole-op.ts";
import { activeAxes, MOST_AXES, reduceOver, windowShape, type WindowAttrs, type WindowCombine } from "./window-op.ts";
import { checkOptions } from "../options.ts";

const REDUCE_WINDOW_OPTIONS = { baseDilation: true, windowDilation: true } as const;

export interface ReduceWindowOptions {
  /** Elements of the operand lie this far apart, with `initValue` between; 1 unless given. */
  readonly baseDilation?: readonly number[];
  /** Elements of the window lie this far apart; 1 unless given. */
  readonly windowDilation?: readonly number[];
}

/** What a windowed reduction combines with: `jnp.add`, `jnp.maximum`, `jnp.minimum`, by name or within a function, or any function of two arrays. */
export type WindowComputation = (x: Tensor, y: Tensor) => Tensor;

/**
 * `initValue`, combined with the elements under each place of a window one after the other; padding and the gaps of a
 * dilation are passed over. Sums, maxima and minima have kernels (a maximum's gradient goes to the first of equals);
 * anything else is computed tap by tap. Source: lax.reduce_window.
 *
 * @throws ShapeError when window, strides or padding do not name every axis.
 * @example
 * await reduceWindow(array([1, 5, 2, 4]), -Infinity, maximum, [2], [2], "VALID").toArray(); // [5, 4]
 */
export function reduceWindow(
  operand: TensorLike,
  initValue: number,
  computation: WindowComputation,
  windowDimensions: readonly number[],
  windowStrides?: readonly number[],
  padding: Padding = "VALID",
  options: ReduceWindowOptions = {},
): Tensor {
  checkOptions("reduceWindow", options, REDUCE_WINDOW_OPTIONS);
  const name = "reduceWindow";
  const x = asTensor(operand, "reduceWindow");
  if (typeof computation !== "function")
    throw new ArgumentError(
      `${name}: the computation is a function such as add or maximum, received ${String(computation)}`,
    );
  const window = resolveSteps(name, "windowDimensions", windowDimensions, x.ndim);
  const strides = resolveSteps(name, "windowStrides", windowStrides, x.ndim);
  const baseDilation = resolveSteps(name, "baseDilation", options.baseDilation, x.ndim);
  const windowDilation = resolveSteps(name, "windowDilation", options.windowDilation, x.ndim);
  const spans = window.map((extent, k) => dilated(extent, at(windowDilation, k)));
  const extents = x.shape.map((extent, k) => dilated(extent, at(baseDilation, k)));
  const pairs = resolvePadding(name, padding, x.shape, spans, strides);
  const attrs: WindowAttrs = { window, strides, padding: pairs, baseDilation, windowDilation };
  const wrong = pairs.findIndex(([low, high], k) => at(extents, k) + low + high < 0);
  if (wrong >= 0)
    throw new ShapeError(
      `${name}: padding [${at(pairs, wrong).join(", ")}] takes away more than there is on axis ${wrong} of ${shapeText(x.shape)}`,
    );
  const op = soleOp(name, computation, x.dtype);
  const kernel = kernelOf(op, x);
  return composite(name, () => {
    // A product that begins with 1 may as well take the padding.
    if (kernel === undefined) return tapByTap(x, initValue, computation, attrs, op === mul.op && initValue === 1);
    const y = windowed(kernel.combine, x, kernel.nothing, attrs);
    return beginsWithNothing(kernel.combine, initValue, kernel.nothing)
      ? y
      : computation(literal(initValue, [], x.dtype), y);
  });
}

/** The kernel that computes it, if there is one, and the value that changes nothing. */
function kernelOf(
  op: AnyOp | undefined,
  { dtype }: Tensor,
): { readonly combine: WindowCombine; readonly nothing: number } | undefined {
  if (dtype === "bool") return undefined;
  const [lowest, highest] = rangeOf(dtype);
  if (op === add.op) return { combine: "sum", nothing: 0 };
  if (op === maximum.op) return { combine: "max", nothing: lowest };
  return op === minimum.op ? { combine: "min", nothing: highest } : undefined;
}

/** Whether the initial value changes nothing; that of a maximum may be less than the dtype can say. */
function beginsWithNothing(combine: WindowCombine, init: number, nothing: number): boolean {
  return combine === "sum" ? init === 0 : combine === "max" ? init <= nothing : init >= nothing;
}

/** One kernel for each group of neighbouring axes, the last axes first, so that ties go to the first in row-major order. */
function windowed(combine: WindowCombine, x: Tensor, init: number, attrs: WindowAttrs): Tensor {
  const shape = windowShape(x.shape, attrs);
  if (sizeOf(shape) === 0) return literal(0, shape, x.dtype);
  if (x.size === 0) return literal(init, shape, x.dtype);
  // A sum's gradient needs holes in its operand, so its kernel has them; what chooses elements gets them filled in.
  const filled = combine !== "sum" && attrs.baseDilation.some((step) => step > 1);
  if (filled) {
    const holes = attrs.baseDilation.map((step) => [0, 0, step - 1] as const);
    return windowed(combine, pad(x, init, holes), init, { ...attrs, baseDilation: x.shape.map(() => 1) });
  }
  let y = x;
  let rest = [...activeAxes(attrs)];
  while (rest.length > 0) {
    const last = at(rest, rest.length - 1);
    const now = rest.filter((axis) => axis > last - MOST_AXES);
    rest = rest.filter((axis) => !now.includes(axis));
    y = reduceOver(combine, y, only(attrs, now));
  }
  return y;
}

/** The same windows along some of the axes alone. */
function only(attrs: WindowAttrs, axes: readonly number[]): WindowAttrs {
  const keep = (steps: readonly number[]): number[] => steps.map((step, k) => (axes.includes(k) ? step : 1));
  return {
    window: keep(attrs.window),
    strides: keep(attrs.strides),
    padding: attrs.padding.map((pair, k) => (axes.includes(k) ? pair : ([0, 0] as const))),
    baseDilation: keep(attrs.baseDilation),
    windowDilation: keep(attrs.windowDilation),
  };
}

/** Any computation: the operand's slices, one for each tap of the window, folded from the initial value where it has elements. */
function tapByTap(
  x: Tensor,
  init: number,
  computation: WindowComputation,
  attrs: WindowAttrs,
  takesPadding: boolean,
): Tensor {
  const shape = windowShape(x.shape, attrs);
  const config = attrs.padding.map(([low, high], k) => [low, high, at(attrs.baseDilation, k) - 1] as const);
  const padded = pad(x, init, config);
  const gaps = config.some(([low, high, interior]) => low > 0 || high > 0 || interior > 0);
  const there = gaps && !takesPadding ? pad(literal(1, x.shape, "bool"), 0, config) : undefined;
  let y: Tensor = literal(init, shape, x.dtype);
  if (y.size === 0) return y;
  for (let place = 0; place < sizeOf(attrs.window); place++) {
    let rest = place;
    const starts = new Array<number>(x.ndim).fill(0);
    for (let k = x.ndim - 1; k >= 0; k--) {
      starts[k] = (rest % at(attrs.window, k)) * at(attrs.windowDilation, k);
      rest = Math.floor(rest / at(attrs.window, k));
    }
    const limits = starts.map((start, k) => start + (at(shape, k) - 1) * at(attrs.strides, k) + 1);
    const tap = (of: Tensor): Tensor => laxSlice(of, starts, limits, attrs.strides);
    const next = computation(y, tap(padded));
    y = there === undefined ? next : where(tap(there), next, y);
  }
  return convert(y, x.dtype, y.weak);
}
