import { isFloat } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { checkList, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { round, sub, mul } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { broadcastTo, flip, squeeze } from "./movement.ts";
import { pad as laxPad } from "./pad.ts";
import { linspace } from "./ranges.ts";
import { median } from "./quantile.ts";
import { mean } from "./moments.ts";
import { max, min } from "./reduce.ts";
import { checkOptions } from "../options.ts";

const PAD_OPTIONS = { mode: true, constantValues: true, endValues: true, statLength: true, reflectType: true } as const;

/** How jnp.pad fills what it adds. */
export type PadMode =
  | "constant"
  | "edge"
  | "linear_ramp"
  | "maximum"
  | "mean"
  | "median"
  | "minimum"
  | "reflect"
  | "symmetric"
  | "wrap"
  | "empty";

/** One number for every side, [before, after] for every axis, or [before, after] axis by axis. */
export type PadPairs = number | readonly number[] | readonly (readonly number[])[];

export interface PadOptions {
  readonly mode?: PadMode;
  /** Mode "constant": what is added, 0 unless told. */
  readonly constantValues?: PadPairs;
  /** Mode "linear_ramp": the values at the outer ends, 0 unless told. */
  readonly endValues?: PadPairs;
  /** Modes "maximum", "mean", "median" and "minimum": elements from each end to look at; all unless told. */
  readonly statLength?: PadPairs;
  /** Modes "reflect" and "symmetric": "odd" mirrors about the edge's value too. */
  readonly reflectType?: "even" | "odd";
}

type Pair = readonly [number, number];

const MODES: readonly string[] = [
  "constant",
  "edge",
  "linear_ramp",
  "maximum",
  "mean",
  "median",
  "minimum",
  "reflect",
  "symmetric",
  "wrap",
  "empty",
] satisfies readonly PadMode[];

function pairsOf(what: string, given: PadPairs, rank: number): Pair[] {
  const rows: readonly (number | readonly number[])[] =
    typeof given === "number" ? [given] : checkList("pad", what, given);
  const flat = rows.every((row) => typeof row === "number");
  const lists = flat ? [rows as readonly number[]] : rows.map((row) => (typeof row === "number" ? [row] : row)); // just checked
  const fits =
    (lists.length === 1 || lists.length === rank) && lists.every(({ length }) => length === 1 || length === 2);
  if (!fits)
    throw new ShapeError(
      `pad: ${what} ${JSON.stringify(given)} does not fit ${rank} axes; give a number, [before, after], or such a pair for each axis`,
    );
  return Array.from({ length: rank }, (_, axis): Pair => {
    const list = at(lists, lists.length === 1 ? 0 : axis);
    return [at(list, 0), at(list, list.length - 1)];
  });
}

/**
 * x with `padWidth` elements added before and after each axis, filled by `mode`: a constant, the edge, a ramp, a statistic
 * of the axis, a reflection or x itself again. Source: jnp.pad.
 *
 * @throws ShapeError when widths do not fit x, ArgumentError for an unknown mode or option.
 * @example
 * await jnpPad(array([1, 2, 3]), 2, { mode: "reflect" }).toArray(); // [3, 2, 1, 2, 3, 2, 1]
 */
export function jnpPad(x: TensorLike, padWidth: PadPairs, options: PadOptions = {}): Tensor {
  checkOptions("pad", options, PAD_OPTIONS);
  const tensor = asTensor(x, "pad");
  const { mode = "constant", reflectType = "even" } = options;
  if (!MODES.includes(mode))
    throw new ArgumentError(`pad: unknown mode ${JSON.stringify(mode)}; expected one of ${MODES.join(", ")}`);
  if (reflectType !== "even" && reflectType !== "odd")
    throw new ArgumentError(`pad: unknown reflectType ${JSON.stringify(reflectType)}; expected "even" or "odd"`);
  if (tensor.ndim === 0) return tensor;
  const widths = pairsOf("padWidth", padWidth, tensor.ndim);
  if (!widths.flat().every((width) => Number.isInteger(width) && width >= 0))
    throw new ShapeError(`pad: widths are whole numbers ≥ 0, received ${JSON.stringify(padWidth)}`);
  if (mode === "constant" || mode === "empty") return padConstant(tensor, widths, options.constantValues ?? 0);
  const sides = sidesOf(tensor, mode, options);
  return composite("pad", () =>
    widths.reduce((padded, [before, after], axis) => {
      if (before === 0 && after === 0) return padded;
      if (at(padded.shape, axis) === 0)
        throw new ShapeError(
          `pad: axis ${axis} of ${shapeText(tensor.shape)} has no elements for mode "${mode}" to go by; use mode "constant"`,
        );
      return sides(padded, axis, before, after);
    }, tensor),
  );
}

/** How a mode pads one axis. */
type Sides = (x: Tensor, axis: number, before: number, after: number) => Tensor;

function sidesOf(tensor: Tensor, mode: PadMode, options: PadOptions): Sides {
  switch (mode) {
    case "wrap":
      return wrap;
    case "edge":
      return (x, axis, before, after) => {
        const extent = at(x.shape, axis);
        return around(x, axis, [sliceAlong(x, axis, 0, 1), before], [sliceAlong(x, axis, extent - 1, extent), after]);
      };
    case "reflect":
    case "symmetric":
      return (x, axis, before, after) => {
        const rule = { extent: at(x.shape, axis), mode, odd: options.reflectType === "odd" } as const;
        const grown = mirror(x, axis, before, rule);
        return flip(mirror(flip(grown, { axis }), axis, after, rule), { axis });
      };
    case "linear_ramp": {
      const ends = pairsOf("endValues", options.endValues ?? 0, tensor.ndim);
      return (x, axis, before, after) => ramp(x, axis, [before, after], at(ends, axis));
    }
    default: {
      const lengths =
        options.statLength === undefined ? undefined : pairsOf("statLength", options.statLength, tensor.ndim);
      if (lengths?.flat().some((length) => !Number.isInteger(length) || length < 1) === true)
        throw new ArgumentError(
          `pad: statLength must be whole numbers ≥ 1, received ${JSON.stringify(options.statLength)}`,
        );
      const of = { maximum: max, minimum: min, mean, median, constant: max, empty: max }[mode];
      return (x, axis, before, after) => {
        const extent = at(x.shape, axis);
        const [low, high] = (lengths?.[axis] ?? [extent, extent]).map((length) => Math.min(length, extent));
        const first = statistic(of, sliceAlong(x, axis, 0, low ?? extent), axis);
        const last = statistic(of, sliceAlong(x, axis, extent - (high ?? extent), extent), axis);
        return around(x, axis, [first, before], [last, after]);
      };
    }
  }
}

function padConstant(x: Tensor, widths: readonly Pair[], given: PadPairs): Tensor {
  const values = pairsOf("constantValues", given, x.ndim);
  const [[low, high]] = [at(values, 0)];
  if (values.every((pair) => pair.every((value) => Object.is(value, low))) && Object.is(low, high))
    return laxPad(
      x,
      low,
      widths.map(([before, after]) => [before, after, 0] as const),
    );
  return composite("pad", () =>
    widths.reduce((padded, [before, after], axis) => {
      const side = (first: number, last: number): (readonly [number, number, number])[] =>
        padded.shape.map((_, k) => (k === axis ? ([first, last, 0] as const) : ([0, 0, 0] as const)));
      return laxPad(laxPad(padded, at(values, axis)[0], side(before, 0)), at(values, axis)[1], side(0, after));
    }, x),
  );
}

/** x between repetitions of slices of extent 1. */
function around(
  x: Tensor,
  axis: number,
  [first, before]: readonly [Tensor, number],
  [last, after]: readonly [Tensor, number],
): Tensor {
  const wide = (slice: Tensor, count: number): Tensor =>
    broadcastTo(
      slice,
      slice.shape.map((extent, k) => (k === axis ? count : extent)),
    );
  return concatenate([wide(first, before), x, wide(last, after)], { axis });
}

function wrap(x: Tensor, axis: number, before: number, after: number): Tensor {
  const extent = at(x.shape, axis);
  const whole = Math.floor(before / extent) + 1 + Math.floor(after / extent);
  const parts = [
    sliceAlong(x, axis, extent - (before % extent), extent),
    ...Array.from({ length: whole }, () => x),
    sliceAlong(x, axis, 0, after % extent),
  ];
  return concatenate(parts, { axis });
}

/** The extent before any padding bounds each reflection. */
interface MirrorRule {
  readonly extent: number;
  readonly mode: "reflect" | "symmetric";
  readonly odd: boolean;
}

/** x with its reflection before it, again and again until `count` elements are added. */
function mirror(x: Tensor, axis: number, count: number, { extent, mode, odd }: MirrorRule): Tensor {
  const offset = mode === "reflect" && extent > 1 ? 1 : 0;
  let padded = x;
  let edge = sliceAlong(x, axis, 0, 1);
  for (let rest = count; rest > 0;) {
    const taken = Math.min(rest, extent - offset);
    rest -= taken;
    let part = flip(sliceAlong(padded, axis, offset, offset + taken), { axis });
    if (odd) {
      part = sub(mul(edge, 2), part);
      if (extent > 1) edge = sliceAlong(part, axis, 0, 1);
    }
    padded = concatenate([part, padded], { axis });
  }
  return padded;
}

function ramp(x: Tensor, axis: number, [before, after]: Pair, [low, high]: Pair): Tensor {
  const extent = at(x.shape, axis);
  const rise = (edge: Tensor, from: number, num: number): Tensor =>
    convert(linspace(from, squeeze(edge, axis), num, { endpoint: false, dtype: x.dtype, axis }), x.dtype, x.weak);
  const first = rise(sliceAlong(x, axis, 0, 1), low, before);
  const last = flip(rise(sliceAlong(x, axis, extent - 1, extent), high, after), { axis });
  return concatenate([first, x, last], { axis });
}

function statistic(of: typeof max, x: Tensor, axis: number): Tensor {
  const found = of(x, { axis, keepdims: true });
  return convert(isFloat(x.dtype) || !isFloat(found.dtype) ? found : round(found), x.dtype, x.weak);
}
